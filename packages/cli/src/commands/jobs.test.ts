import { createClient } from '@assay/client';
import { expect, test } from 'vitest';
import { saveResults } from './jobs.ts';

const answer: typeof fetch = () =>
  Promise.resolve(Response.json({ digest: 'a'.repeat(64), files: [{ path: 'out.txt', sizeBytes: 1, sha256: 'b' }] }));

// Node's own recursive call never ends there.
test.skipIf(process.platform !== 'linux')('results are not saved where no folder can be (needs /proc)', async () => {
  const client = createClient({
    baseUrl: 'http://market.example',
    auth: { kind: 'apiKey', key: 'ask_x' },
    fetch: answer,
  });
  await expect(saveResults(client, 'job_1', '/proc/nope')).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining('the folder /proc/nope cannot be made: ') as string,
  });
});
