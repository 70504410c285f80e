import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openScene, type Scene } from '../market-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const disable = (account: string, reason: string) =>
  scene.database.db.query(
    `UPDATE payout_account SET disabled_at = assay_now(), disabled_reason = $2
     WHERE account_id = $1 AND disabled_at IS NULL`,
    [account, reason],
  );

test('an account that was not finished is used again when its owner says so, one with another fault is not', async () => {
  const owner = await scene.person('oscar', ['provider']);
  const open = async () => (await owner.client.createPayoutAccount({ region: 'eu' })).destination;
  const listed = async () => (await owner.client.listPayoutAccounts()).items;
  expect(await listed()).toEqual([]);
  const first = await open();
  expect(await listed()).toMatchObject([{ region: 'eu', destination: first }]);
  expect(await open()).toBe(first);
  // The bank has forgotten by now that it opened one under this key.
  const opened = vi.spyOn(scene.bank, 'createRecipient').mockResolvedValue({ kind: 'ok', value: 'recipient_new' });
  await disable(owner.account, 'insufficient_capabilities_for_transfer');
  expect(await listed()).toEqual([]);
  expect(await open()).toBe(first);
  expect(opened).not.toHaveBeenCalled();
  await disable(owner.account, 'account_closed');
  expect(await open()).toBe('recipient_new');
});
