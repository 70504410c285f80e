import { request, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '@assay/core';
import { createTestJob, openScene, type Person, type Scene } from '../market-scene.setup.ts';

describe('uploads that never end', () => {
  let scene: Scene;
  let eve: Person;
  let carol: Person;
  const open: ClientRequest[] = [];
  beforeAll(async () => {
    scene = await openScene();
    eve = await scene.person('eve', ['customer']);
    carol = await scene.person('carol', ['customer']);
  });
  afterAll(async () => {
    for (const one of open) one.destroy();
    await scene.close();
  });

  const stall = (person: Person): void => {
    const headers = {
      authorization: `Bearer ${person.key}`,
      'idempotency-key': `slow-upload-${open.length}`,
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': '1000000',
    };
    const one = request(`${scene.url}/contracts/create`, { method: 'POST', headers });
    one.on('error', () => undefined);
    one.write('--b\r\ncontent-disposition: form-data; name="bundle"; filename="a.zip"\r\n\r\nPK');
    open.push(one);
  };

  test('of one account keep only that account out', async () => {
    for (let n = 0; n < limits.bundleSpoolsPerAccount; n += 1) stall(eve);
    await sleep(300);
    await expect(createTestJob(carol)).resolves.toMatchObject({ state: 'created' });
  });
});
