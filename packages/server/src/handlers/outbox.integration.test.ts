import { addToOutbox, claimOutbox, finishOutbox } from '@assay/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Person, type Scene } from '../market-scene.setup.ts';

let scene: Scene;
let operator: Person;
beforeAll(async () => {
  scene = await openScene();
  operator = await scene.person('olga', ['operator']);
});
afterAll(() => scene.close());

/** A message of a kind that no server of this scene sends, held for a person. */
async function hold(ref: string): Promise<void> {
  const { db } = scene.database;
  await addToOutbox(db, { kind: 'mail', op: 'welcome', ref, key: `mail ${ref}`, request: { to: 'secret address' } });
  const [message] = await claimOutbox(db, ['mail'], 1, 60_000, ref);
  await finishOutbox(db, message!, { kind: 'human', error: 'the mailbox is full' });
}

test('a message that waits for a person is shown without its content, and sent again when an operator says so', async () => {
  await hold('carol');
  await hold('dave');
  const { items } = await operator.client.listHeldMessages();
  expect(items).toEqual([
    expect.objectContaining({
      kind: 'mail',
      op: 'welcome',
      ref: 'carol',
      inDoubt: false,
      error: 'the mailbox is full',
    }),
    expect.objectContaining({ ref: 'dave' }),
  ]);
  expect(JSON.stringify(items)).not.toContain('secret address');
  const { message } = items[0]!;
  const first = await operator.client.listHeldMessages({ limit: 1 });
  const second = await operator.client.listHeldMessages({ limit: 1, after: first.next! });
  expect([...first.items, ...second.items]).toEqual(items);
  expect(second.next).toBeNull();
  await operator.client.resumeMessage({ message, reason: 'the mailbox was emptied' });
  expect((await operator.client.listHeldMessages()).items).toEqual(items.slice(1));
  expect(await claimOutbox(scene.database.db, ['mail'])).toMatchObject([{ ref: 'carol', inDoubt: true }]);
  const audit = await scene.database.db.query("SELECT actor, ref, data FROM audit_log WHERE action = 'outbox.resume'");
  expect(audit).toEqual([
    { actor: operator.account, ref: message, data: { reason: 'the mailbox was emptied', absent: false } },
  ]);
});

test('only operators send again, and only what waits', async () => {
  const customer = await scene.person('carol', ['customer']);
  const body = { message: '1', reason: 'because' };
  await expect(customer.client.listHeldMessages()).rejects.toMatchObject({ code: 'auth.forbidden' });
  await expect(customer.client.resumeMessage(body)).rejects.toMatchObject({ code: 'auth.forbidden' });
  const later = { ...body, message: '999999999999999999' };
  await expect(operator.client.resumeMessage(later)).rejects.toMatchObject({ code: 'message.not_held' });
  for (const message of ['0', '-1', 'x', '9999999999999999999']) {
    const refused = operator.client.resumeMessage({ ...body, message });
    await expect(refused).rejects.toMatchObject({ code: 'request.malformed' });
  }
  await expect(operator.client.listHeldMessages({ after: 'x' })).rejects.toMatchObject({ code: 'request.malformed' });
});
