import { afterEach, expect, test } from 'vitest';
import { addDevice, createTestJob, fund, openScene, type Device, type Scene } from './market-scene.setup.ts';

let scene: Scene;
afterEach(() => scene.close());

/** A funded job of one unit, a device with a runner that nobody else has, and an honest one. */
async function open(environment: Readonly<Record<string, string>>): Promise<{ evil: Device; honest: Device }> {
  scene = await openScene(environment);
  const customer = await scene.person('carol', ['customer']);
  const evil = await addDevice(scene, await scene.person('mallory', ['provider']), 'evil', 'of-my-own-making');
  const honest = await addDevice(scene, await scene.person('ada', ['provider']), 'honest');
  await fund(scene, customer, await createTestJob(customer, { parallelism: { strategy: 'data_parallel', chunks: 1 } }));
  return { evil, honest };
}

test('a worker whose runner the operator does not know is offered nothing', async () => {
  const { evil, honest } = await open({ ASSAY_RUNNER_DIGESTS: 'digest-0,digest-1' });
  expect((await evil.exchange({ claim: 1 })).offers).toEqual([]);
  expect((await evil.work.available()).items).toEqual([]);
  expect((await honest.exchange({ claim: 1 })).offers).toHaveLength(1);
});

test('a worker that gives its replica back leaves the unit open to other runners', async () => {
  const { evil, honest } = await open({});
  const { offers } = await evil.exchange({ claim: 1 });
  expect(offers).toHaveLength(1);
  expect((await honest.exchange({ claim: 1 })).offers).toEqual([]);
  await evil.exchange({ failures: offers.map(({ replica }) => ({ replica, reason: 'changed my mind' })) });
  expect((await honest.exchange({ claim: 1 })).offers).toHaveLength(1);
});
