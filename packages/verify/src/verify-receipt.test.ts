import { canonicalJson, money, receiptText, type CanonicalValue, type Receipt } from '@assay/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import {
  commonClass,
  ledgerSigner,
  nodeCrypto,
  syntheticReceipt,
  type SyntheticOptions,
} from './synthetic-receipt.setup.ts';
import { receiptSchema } from './receipt-shape.ts';
import { receiptParts, verifyReceipt, type ReceiptPart } from './verify-receipt.ts';

const metric: SyntheticOptions = {
  verification: { type: 'metric', metric_name: 'pi', tolerance: 1, redundancy: 2 },
  chunks: 2,
  merge: true,
  workers: 3,
  state: 'completed',
  // Worker 1 lies on unit 0; all agree on the others, the merge bit for bit.
  valueOf: (unit, worker) => (unit === 2 ? 3.14 : unit === 0 && worker === 1 ? 99 : 3 + worker / 8),
};
const exact: SyntheticOptions = {
  ...metric,
  verification: { type: 'exact', redundancy: 2 },
  chunks: 1,
  merge: false,
  valueOf: () => 42,
};
const trust = { crypto: nodeCrypto };
const receipt = syntheticReceipt(metric);
const text = receiptText(receipt);

describe('verifyReceipt', () => {
  it('accepts a sound receipt and sums it up', () => {
    const verdict = verifyReceipt(text, { ledgerKeys: [ledgerSigner.publicKey] });
    expect(verdict).toEqual({
      ok: true,
      summary: {
        job: receipt.job,
        state: 'completed',
        runner: 'platform-runner:python-3.14',
        machineClasses: [commonClass],
        units: 3,
        replicas: 9,
        agreed: 8,
        disagreed: 1,
        deposit: { currency: 'USD', minor: '25' },
        refunded: { currency: 'USD', minor: '1' },
        ledgerKey: ledgerSigner.publicKey,
        ledgerKeyTrusted: true,
        block: receipt.ledger.heads[0]?.block,
      },
      checks: receiptParts.map((part) => ({ part, ok: true })),
    });
  });

  it.each<[string, SyntheticOptions]>([
    ['an exact job', exact],
    ['a job in its challenge window', { ...exact, state: 'verified' }],
    [
      'a job refunded by a ruling',
      {
        ...exact,
        state: 'refunded',
        ruling: { outcome: 'REFUNDED', refund: money('USD', 9n), reason: 'nobody ran it' },
      },
    ],
    [
      'a job refunded in part',
      { ...exact, state: 'completed', ruling: { outcome: 'COMPLETED', refund: money('USD', 4n), reason: 'late' } },
    ],
    ['one unit with one replica', { ...exact, verification: { type: 'exact', redundancy: 1 }, workers: 1 }],
    ['a metric on machines of two classes', { ...metric, merge: false, classOf: (worker) => `class/${worker % 2}` }],
  ])('accepts %s', (_, options) => {
    expect(verifyReceipt(receiptText(syntheticReceipt(options)), trust)).toMatchObject({ ok: true });
  });

  it('agrees with itself on portable and fast primitives', () => {
    expect(verifyReceipt(text)).toEqual(verifyReceipt(text, trust));
  });

  it('trusts only the named ledger keys', () => {
    expect(verifyReceipt(text, { ...trust, ledgerKeys: ['0'.repeat(64)] })).toMatchObject({
      ok: false,
      part: 'ledger signature',
    });
    expect(verifyReceipt(text, trust)).toMatchObject({ ok: true, summary: { ledgerKeyTrusted: false } });
  });

  it.each([
    undefined,
    null,
    7,
    {},
    '',
    '\n',
    'null\n',
    '{}\n',
    '[]\n',
    '{',
    '1.5\n',
    text.slice(0, -1),
    `${text}\n`,
    ` ${text}`,
    '['.repeat(100_000),
  ])('refuses what is no receipt (%#)', (value) => {
    const verdict = verifyReceipt(value, trust);
    expect(verdict).toMatchObject({ ok: false, code: 'receipt.malformed' });
  });
});

describe('receiptSchema', () => {
  it('fits every receipt and nothing that has a key more or less', () => {
    const fits = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(receiptSchema);
    expect(fits(receipt), JSON.stringify(fits.errors)).toBe(true);
    expect(fits({ ...receipt, note: 'x' })).toBe(false);
    for (const key of Object.keys(receipt))
      expect(fits(without(receipt as unknown as CanonicalValue, [key])), key).toBe(false);
  });
});

describe('a change', () => {
  it('of any byte is found, and its part is named', () => {
    const least = receiptText(syntheticReceipt({ ...metric, chunks: 1, merge: false, workers: 2, valueOf: () => 3 }));
    const parts = flip(new TextEncoder().encode(least), 1, [0x01]);
    expect(parts.get('device signatures'), 'some changes are found by signatures only').toBeGreaterThan(0);
    expect(parts.get('ledger signature')).toBeGreaterThan(0);
    expect([...parts.keys()].toSorted()).toEqual(receiptParts.toSorted());
  }, 120_000);

  it('of bytes here and there in a larger receipt is found', () => {
    const parts = flip(new TextEncoder().encode(text), 67, [0x02, 0x04, 0x10, 0x20]);
    expect(parts.size).toBeGreaterThan(5);
  }, 120_000);

  it('of any value that is left out is found', () => {
    for (const path of pathsOf(receipt)) {
      const changed = `${canonicalJson(without(receipt as unknown as CanonicalValue, path))}\n`;
      expect(verifyReceipt(changed, trust).ok, path.join('.')).toBe(false);
    }
  }, 60_000);

  /** Changes that a forger would make, with the part that gives them away. */
  const forgeries: [string, (draft: Receipt) => unknown, ReceiptPart][] = [
    [
      'a cheaper tolerance',
      (one) => ({
        ...one,
        manifest: { ...one.manifest, verification: { ...(one.manifest['verification'] as object), tolerance: 100 } },
      }),
      'comparator',
    ],
    ['another comparator', (one) => ({ ...one, comparator: { rule: 'exact/1', quorum: 2 } }), 'comparator'],
    [
      'another file of the bundle',
      (one) => ({ ...one, bundle: one.bundle.map((file) => ({ ...file, sizeBytes: file.sizeBytes + 1 })) }),
      'ledger facts',
    ],
    ['a file that is missing', (one) => ({ ...one, bundle: one.bundle.slice(1) }), 'bundle'],
    [
      'a greater deposit and refund',
      (one) => ({ ...one, terms: { ...one.terms, deposit: usd(26) }, money: { ...one.money, refunded: usd(2) } }),
      'ledger facts',
    ],
    [
      'a higher price',
      (one) => ({ ...one, terms: { ...one.terms, perReplica: usd(4), cap: usd(24) } }),
      'ledger facts',
    ],
    [
      'a liar among the agreeing',
      (one) =>
        inUnit(one, 0, (unit) => ({
          ...unit,
          verdict: { ...unit.verdict, agreeing: unit.replicas.map((x) => x.replica) },
        })),
      'verdicts',
    ],
    [
      'a liar who is left out',
      (one) => inUnit(one, 0, (unit) => ({ ...unit, replicas: unit.replicas.toSpliced(1, 1) })),
      'statements',
    ],
    ['a unit that is left out', (one) => ({ ...one, units: one.units.slice(1) }), 'verdicts'],
    ['a unit that stands twice', (one) => ({ ...one, units: [...one.units, one.units[0]] }), 'verdicts'],
    ['a unit in another batch', (one) => inUnit(one, 0, (unit) => ({ ...unit, batch: 1 })), 'ledger facts'],
    ['a fact that is left out', (one) => inLedger(one, one.ledger.facts.slice(0, -1)), 'ledger facts'],
    ['facts in another order', (one) => inLedger(one, one.ledger.facts.toReversed()), 'ledger inclusion'],
    [
      'a fact that stands twice',
      (one) => inLedger(one, [...one.ledger.facts, ...one.ledger.facts.slice(-1)]),
      'ledger inclusion',
    ],
    [
      'a head of another key',
      (one) => ({
        ...one,
        ledger: { ...one.ledger, heads: one.ledger.heads.map((head) => ({ ...head, publicKey: '1'.repeat(64) })) },
      }),
      'ledger signature',
    ],
    [
      'an idle head',
      (one) => ({ ...one, ledger: { ...one.ledger, heads: [...one.ledger.heads, ...one.ledger.heads] } }),
      'ledger signature',
    ],
    [
      'an idle device',
      (one) => ({ ...one, devices: [...one.devices, { ...one.devices[0], worker: `wrk_${'f'.repeat(32)}` }] }),
      'statements',
    ],
    [
      'one owner of two devices',
      (one) => ({ ...one, devices: one.devices.map((device) => ({ ...device, owner: one.devices[0]?.owner })) }),
      'verdicts',
    ],
    [
      'another owner',
      (one) => ({
        ...one,
        devices: one.devices.map((device, n) => (n === 0 ? { ...device, owner: `acc_${'f'.repeat(32)}` } : device)),
      }),
      'money',
    ],
    [
      'a payee who is left out',
      (one) => ({ ...one, money: { ...one.money, payees: one.money?.payees.slice(1) } }),
      'money',
    ],
    [
      'a commission that grew',
      (one) => ({
        ...one,
        money: {
          ...one.money,
          payees: one.money?.payees.map((payee) => ({ ...payee, commission: payee.net, net: payee.net })),
        },
      }),
      'money',
    ],
    [
      'another class of machine',
      (one) =>
        inUnit(one, 0, (unit) => ({
          ...unit,
          replicas: unit.replicas.map((replica) => ({ ...replica, machineClass: `${'d'.repeat(64)}/x64` })),
        })),
      'statements',
    ],
    ['no settlement', (one) => ({ ...one, money: null }), 'money'],
    ['a state before', (one) => ({ ...one, state: 'verified', money: null }), 'ledger facts'],
    [
      'a ruling that never was',
      (one) => ({ ...one, ruling: { outcome: 'COMPLETED', refund: usd(1), reason: 'x' } }),
      'ledger facts',
    ],
    ['a surplus key', (one) => ({ ...one, note: 'x' }), 'shape'],
  ];
  it.each(forgeries)('such as %s is found', (_, forge, part) => {
    const forged = `${canonicalJson(forge(receipt) as CanonicalValue)}\n`;
    expect(verifyReceipt(forged, trust)).toMatchObject({ ok: false, part });
  });
});

it('compares bytes of equal machines only', () => {
  const mixed = syntheticReceipt({ ...exact, classOf: (worker) => `class/${worker % 2}` });
  expect(verifyReceipt(receiptText(mixed), trust)).toMatchObject({
    ok: false,
    part: 'verdicts',
    message: expect.stringContaining('ran on unlike machines') as string,
  });
});

/** Changes every `stride`-th byte by each mask and counts the parts that were named. */
function flip(bytes: Uint8Array, stride: number, masks: readonly number[]): Map<ReceiptPart, number> {
  const parts = new Map<ReceiptPart, number>();
  for (let at = 0; at < bytes.length; at += stride) {
    for (const mask of masks) {
      const changed = bytes.slice();
      changed[at] = (bytes[at] ?? 0) ^ mask;
      const verdict = verifyReceipt(new TextDecoder().decode(changed), trust);
      if (verdict.ok)
        throw new Error(`byte ${at} may change: ${new TextDecoder().decode(bytes.slice(at - 60, at + 20))}`);
      parts.set(verdict.part, (parts.get(verdict.part) ?? 0) + 1);
    }
  }
  return parts;
}

function usd(minor: number) {
  return { currency: 'USD' as const, minor: String(minor) };
}

function inUnit(one: Receipt, index: number, change: (unit: Receipt['units'][number]) => unknown) {
  return { ...one, units: one.units.map((unit, at) => (at === index ? change(unit) : unit)) };
}

function inLedger(one: Receipt, facts: Receipt['ledger']['facts']) {
  return { ...one, ledger: { ...one.ledger, facts } };
}

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const below = Object.entries(value).flatMap(([key, member]) =>
    pathsOf(member, [...at, Array.isArray(value) ? Number(key) : key]),
  );
  return at.length === 0 ? below : [at, ...below];
}

function without(value: CanonicalValue, [key, ...rest]: Path): CanonicalValue {
  if (Array.isArray(value)) {
    const items = value as readonly CanonicalValue[];
    return rest.length === 0
      ? items.toSpliced(Number(key), 1)
      : items.map((one, at) => (at === key ? without(one, rest) : one));
  }
  const object = value as { readonly [key: string]: CanonicalValue };
  const entries = Object.entries(object).filter(([name]) => rest.length > 0 || name !== key);
  return Object.fromEntries(entries.map(([name, one]) => [name, name === key ? without(one, rest) : one]));
}
