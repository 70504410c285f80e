import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { limits, Refusal, type WebhookNotice } from '@assay/core';
import { Stripe } from 'stripe';
import { describe, expect, it } from 'vitest';
import { signatureHeader } from './simulator/webhook-sender.ts';
import { readStripeWebhook, type WebhookTrust } from './stripe-webhook.ts';

const secret = 'whsec_test';
const nowMs = Date.UTC(2026, 10, 21, 12);
const stripe = new Stripe('sk_test_none', { telemetry: false });
const trust: WebhookTrust = { stripe, secret, mode: 'sandbox' };

const event = (type: string, object: object = { id: 'pi_1' }, more: object = {}): string =>
  JSON.stringify({
    id: 'evt_1',
    object: 'event',
    created: 1_700_000_000,
    livemode: false,
    type,
    data: { object },
    ...more,
  });

function read(body: string | Uint8Array, header?: string, at = nowMs, how: WebhookTrust = trust): WebhookNotice {
  const raw = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const signed = header ?? signatureHeader(Buffer.from(raw).toString('utf8'), secret, nowMs);
  return readStripeWebhook(how, raw, { 'stripe-signature': signed }, at);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'nothing was refused';
}

describe('an authentic event names the object that changed', () => {
  it.each([
    ['payment_intent.succeeded', { id: 'pi_1' }, {}, 'payment', 'pi_1'],
    ['payment_intent.payment_failed', { id: 'pi_1' }, {}, 'payment', 'pi_1'],
    ['charge.succeeded', { id: 'ch_1', payment_intent: 'pi_1' }, {}, 'payment', 'pi_1'],
    ['charge.dispute.created', { id: 'du_1', payment_intent: 'pi_1' }, {}, 'payment', 'pi_1'],
    ['charge.succeeded', { id: 'ch_1', payment_intent: null }, {}, 'other', 'ch_1'],
    ['charge.refund.updated', { id: 're_1', payment_intent: 'pi_1' }, {}, 'refund', 're_1'],
    ['refund.failed', { id: 're_1' }, {}, 'refund', 're_1'],
    ['transfer.reversed', { id: 'tr_1' }, {}, 'payout', 'tr_1'],
    ['payout.paid', { id: 'po_1' }, {}, 'other', 'po_1'],
    ['something.new', { id: 'xx_1', payment_intent: 'pi_1' }, {}, 'other', 'xx_1'],
    ['payment_intent.succeeded', { id: 'pi_1' }, { account: 'acct_1' }, 'other', 'pi_1'],
    ['balance.available', { object: 'balance' }, {}, 'other', ''],
    ['ping', {}, { data: undefined }, 'other', ''],
    ['ping', {}, { data: {} }, 'other', ''],
  ])('%s of %j with %j', (type, object, more, kind, providerId) => {
    const occurredAtMs = 1_700_000_000_000;
    expect(read(event(type, object, more))).toEqual({ eventKey: 'evt_1', object: kind, providerId, occurredAtMs });
  });

  it.each([
    [{ related_object: { id: 'acct_1', type: 'v2.core.account' } }, 'acct_1'],
    [{ related_object: null }, ''],
    [{}, ''],
  ])('a thin one with %j', (more, providerId) => {
    const thin = { id: 'evt_2', object: 'v2.core.event', type: 'v2.core.account.created', livemode: false };
    const body = JSON.stringify({ ...thin, created: '2026-11-21T11:59:00.000Z', ...more });
    const occurredAtMs = Date.UTC(2026, 10, 21, 11, 59);
    expect(read(body)).toEqual({ eventKey: 'evt_2', object: 'other', providerId, occurredAtMs });
  });

  it('gives one key to an event that comes twice (row 1)', () => {
    const body = event('payment_intent.succeeded');
    const later = signatureHeader(body, secret, nowMs + 60_000);
    expect(read(body, later, nowMs + 60_000).eventKey).toBe(read(body).eventKey);
  });
});

describe('age (rows 5 and 6)', () => {
  const body = event('payment_intent.succeeded');
  const second = 1000;
  it.each([[0], [300], [-300]])('%i seconds old is taken', (age) => {
    expect(read(body, signatureHeader(body, secret, nowMs - age * second)).eventKey).toBe('evt_1');
  });
  it.each([[301], [3600], [365 * 86_400], [-301], [-86_400]])('%i seconds old is refused', (age) => {
    expect(codeOf(() => read(body, signatureHeader(body, secret, nowMs - age * second)))).toBe('webhook.unverified');
  });
  it('counts the time that is signed, not one added to the header', () => {
    const old = signatureHeader(body, secret, nowMs - 3_600_000);
    expect(codeOf(() => read(body, `t=${nowMs / 1000},${old}`))).toBe('webhook.unverified');
    expect(codeOf(() => read(body, `${old},t=${nowMs / 1000}`))).toBe('webhook.unverified');
  });
  it('looks at the time that the SDK looks at, the last one', () => {
    const future = signatureHeader(body, secret, nowMs + 3_600_000);
    expect(codeOf(() => read(body, `t=${nowMs / 1000},${future}`))).toBe('webhook.unverified');
  });
  it('refuses a time that is no number, even a signed one', () => {
    const signature = createHmac('sha256', secret).update(`NaN.${body}`).digest('hex');
    expect(codeOf(() => read(body, `t=soon,v1=${signature}`))).toBe('webhook.unverified');
  });
});

describe('signatures', () => {
  const body = event('payment_intent.succeeded');
  const good = signatureHeader(body, secret, nowMs);
  it('takes any of several, as while a secret is rolled', () => {
    expect(read(body, `${good},v1=${'0'.repeat(64)}`).eventKey).toBe('evt_1');
    expect(read(body, `t=${nowMs / 1000},v1=${'0'.repeat(64)},${good.split(',')[1]}`).eventKey).toBe('evt_1');
  });
  it.each([
    ['none', ''],
    ['of another endpoint (row 8)', signatureHeader(body, 'whsec_other_region', nowMs)],
    ['without a time', good.split(',')[1] as string],
    ['without a signature', good.split(',')[0] as string],
    ['of the test scheme only', good.replace('v1=', 'v0=')],
    ['cut', good.slice(0, -1)],
    ['rubbish', 'rubbish'],
  ])('refuses: %s', (_name, header) => {
    expect(codeOf(() => read(body, header))).toBe('webhook.unverified');
  });
  it('refuses a request without the header', () => {
    expect(codeOf(() => readStripeWebhook(trust, new TextEncoder().encode(body), {}, nowMs))).toBe(
      'webhook.unverified',
    );
  });
  it('refuses when our own secret is blank', () => {
    expect(codeOf(() => read(body, signatureHeader(body, '', nowMs), nowMs, { ...trust, secret: '' }))).toBe(
      'webhook.unverified',
    );
  });
});

describe('bodies (row 9)', () => {
  const body = event('payment_intent.succeeded');
  const good = signatureHeader(body, secret, nowMs);
  it('refuses one that a proxy wrote anew', () => {
    expect(codeOf(() => read(JSON.stringify(JSON.parse(body), null, 2), good))).toBe('webhook.unverified');
  });
  it('refuses one that a proxy packed', () => {
    expect(codeOf(() => read(gzipSync(body), good))).toBe('webhook.unverified');
  });
  it('refuses bytes that are no UTF-8', () => {
    const raw = Buffer.concat([Buffer.from(body), Buffer.from([0xff, 0xfe])]);
    const header = `t=${nowMs / 1000},v1=${createHmac('sha256', secret)
      .update(`${nowMs / 1000}.`)
      .update(raw)
      .digest('hex')}`;
    expect(codeOf(() => read(raw, header))).toBe('webhook.unverified');
  });
  it('takes one of exactly the limit and refuses one byte more, before it looks at the signature', () => {
    const padding = limits.webhookBodyBytes - Buffer.byteLength(event('ping', { id: 'x', pad: '' }));
    expect(read(event('ping', { id: 'x', pad: 'a'.repeat(padding) })).providerId).toBe('x');
    expect(codeOf(() => read(event('ping', { id: 'x', pad: 'a'.repeat(padding + 1) })))).toBe('webhook.unverified');
    expect(codeOf(() => read('a'.repeat(1024 * 1024), 'rubbish'))).toBe('webhook.unverified');
  });
  it.each([
    ['no JSON', 'ping'],
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1'],
    ['a list', '[]'],
    ['another object', JSON.stringify({ ...JSON.parse(body), object: 'charge' })],
    ['no id', JSON.stringify({ ...JSON.parse(body), id: undefined })],
    ['an id of another shape', JSON.stringify({ ...JSON.parse(body), id: 'evt_1; DROP' })],
    ['no type', JSON.stringify({ ...JSON.parse(body), type: undefined })],
  ])('refuses a signed body that is no event: %s', (_name, text) => {
    expect(codeOf(() => read(text))).toBe('webhook.unverified');
  });
});

describe('mode (row 8)', () => {
  const live = event('payment_intent.succeeded', { id: 'pi_1' }, { livemode: true });
  it('takes live events on a live account only', () => {
    expect(read(live, undefined, nowMs, { ...trust, mode: 'live' }).providerId).toBe('pi_1');
    expect(codeOf(() => read(live))).toBe('webhook.unverified');
  });
  it('refuses sandbox events, and those that do not say, on a live account', () => {
    expect(codeOf(() => read(event('ping'), undefined, nowMs, { ...trust, mode: 'live' }))).toBe('webhook.unverified');
    expect(codeOf(() => read(event('ping', {}, { livemode: undefined })))).toBe('webhook.unverified');
  });
});
