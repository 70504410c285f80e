import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeOnFabric, toolsRoot } from '../../fabric.setup.ts';
import { readProfile } from '../profile.ts';
import { makeMaterial } from './make-material.ts';
import { sharesOf } from './shares.ts';
import type { Deployment } from './units.ts';

const deployment: Deployment = { ordering: 'raft-3', membership: 'own' };

describeOnFabric('material for a cluster', () => {
  test('is made once, dealt out, and names the places of the machines that get it', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-material-'));
    const options = { folder, tools: toolsRoot, deployment, nowMs: Date.UTC(2026, 10, 21) };
    const make = () => makeMaterial({ ...options, onlyAuthorities: false });
    await expect(makeMaterial({ ...options, onlyAuthorities: true })).rejects.toMatchObject({ code: 'config.invalid' });
    expect(await make()).toBe(true);
    const key = join(folder, 'shares', 'orderer2', 'nodes', 'orderer2', 'tls', 'key.pem');
    const before = await readFile(key, 'utf8');
    expect(await make()).toBe(false);
    expect(await readFile(key, 'utf8')).toBe(before);
    for (const [name, files] of sharesOf(deployment)) {
      const share = join(folder, 'shares', name);
      const entries = await readdir(share, { recursive: true, withFileTypes: true });
      const found = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      expect([name, found.map((path) => path.slice(share.length + 1)).toSorted()]).toEqual([name, files.toSorted()]);
      for (const path of found) {
        const text = await readFile(path, 'latin1');
        expect([path, text.includes(folder)]).toEqual([path, false]);
        if (text.includes('PRIVATE KEY')) expect([path, (await stat(path)).mode & 0o077]).toEqual([path, 0]);
      }
    }
    const settings = await readFile(join(folder, 'shares', 'peer-worker', 'nodes', 'peer-worker', 'core.yaml'), 'utf8');
    expect(settings).toContain('"mspConfigPath":"/network/nodes/peer-worker/msp"');
    expect(settings).toContain('"fileSystemPath":"/data/ledger"');
    // The market's share works in whatever folder it is put.
    const client = join(folder, 'shares', 'client');
    const profile = await readProfile(join(client, 'connection.json'));
    expect([profile.wallet, profile.authorities]).toEqual([join(client, 'wallet'), undefined]);
    expect(await readFile(profile.clientTls.key, 'utf8')).toContain('PRIVATE KEY');
    await rm(folder, { recursive: true });
  });
});
