import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { foldersOf, writeSecret } from './folders.ts';
import { contractServerFile, joinAndDefine, type Site } from './provision.ts';
import { contractsName, topologyOf } from './topology.ts';

/** In the place of Fabric's tools: all has been done before, but that the answer to the commit is lost. */
const done = `#!/bin/sh
echo "$*" >> "$0.calls"
channel=$(echo "$*" | sed 's/.*-C \\([a-z-]*\\).*/\\1/')
say() { echo "$1" >&2; exit 1; }
case "$*" in
  *'channel list'*) echo 'public-marketplace private-science' ;;
  *install*) say 'chaincode already successfully installed' ;;
  *approveformyorg*) say 'attempted to redefine uncommitted sequence (1) for namespace assay with unchanged content' ;;
  *querycommitted*)
    test -e "$0.$channel" || say 'namespace assay is not defined'
    echo '{"sequence":1}' ;;
  *' commit '*)
    touch "$0.$channel"
    say 'timed out waiting for txid on all peers' ;;
  *) echo 'Status: 201' ;;
esac
`;

test('what was done before an interruption is not tried again', { timeout: 20_000 }, async () => {
  const root = await mkdtemp(join(tmpdir(), 'assay-provision-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const tool = join(root, 'tool');
  await writeFile(tool, done);
  await chmod(tool, 0o700);
  const folders = foldersOf(root);
  const topology = topologyOf('raft', Array(11).fill(1) as number[]);
  const site: Site = { folders, topology, tools: { version: '2.5.9', path: () => tool } };
  for (const peer of topology.peers) {
    await writeSecret(contractServerFile(folders, contractsName(peer)), JSON.stringify({ packageId: 'assay_1:00' }));
  }
  await joinAndDefine(site, () => undefined);
  const calls = (await readFile(`${tool}.calls`, 'utf8')).split('\n');
  // Two organisations on the one channel, one on the other.
  expect(calls.filter((call) => call.includes('approveformyorg'))).toHaveLength(3);
  expect(calls.filter((call) => call.includes(' install '))).toHaveLength(2);
  expect(calls.filter((call) => call.includes(' commit '))).toHaveLength(2);
});
