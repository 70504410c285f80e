import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice, addJob, openScene, say, type Scene } from './work-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

describe('a unit that asks for more than computing', () => {
  it.each([
    [
      'a network',
      { network_whitelist: ['data.example.org', 'data.example.org:8443'] },
      { egress: true },
      { gpu: true },
    ],
    ['a graphics processor', { resources: { gpu: true } }, { gpu: true }, { egress: true }],
  ])('for %s goes only to a worker whose runner gives it', async (_, asks, offers, other) => {
    const [server] = scene.exchanges;
    const { db } = scene.database;
    const job = await addJob(db, { asks });
    const [plain, wrong, able] = await Promise.all([
      addDevice(db),
      addDevice(db, undefined, other),
      addDevice(db, undefined, { driver: 'docker', ...offers }),
    ]);
    expect((await say(server, plain, { claim: 1 })).offers).toEqual([]);
    expect((await say(server, wrong, { claim: 1 })).offers).toEqual([]);
    const reply = await say(server, able, { claim: 1 });
    expect(reply.offers).toMatchObject([{ job }]);
    const { network, resources } = reply.jobs[job]!;
    if ('egress' in offers) {
      expect(network).toEqual([
        { host: 'data.example.org', port: 443 },
        { host: 'data.example.org', port: 8443 },
      ]);
    } else expect(resources.gpu).toBe(true);
    const [row] = await db.query<{ machine_class: string }>('SELECT machine_class FROM replica WHERE worker_id = $1', [
      able.id,
    ]);
    expect(row?.machine_class).toBe('d1/x64');
    await db.query(`UPDATE unit SET wanted = 0 WHERE job_id = $1`, [job]);
  });
});
