import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeOnFabric, toolsRoot } from '../../fabric.setup.ts';
import { foldersOf, writeSecret } from '../folders.ts';
import { choosePorts } from '../ports.ts';
import { startProgram, stopPrograms } from '../processes.ts';
import { findTools } from '../tools.ts';
import { writeAuthorities, writeMaterial, type MaterialOptions } from './material.ts';
import { sharesOf } from './shares.ts';
import { deployedTopology, type Deployment } from './units.ts';

const deployment: Deployment = { ordering: 'raft', membership: 'fabric-ca' };

describeOnFabric(
  'material from fabric-ca servers',
  () => {
    test('is completed by the next start where one was interrupted', { timeout: 90_000 }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'assay-material-'));
      const programs = foldersOf(join(folder, 'programs'));
      onTestFinished(async () => {
        await stopPrograms(programs);
        await rm(folder, { recursive: true, force: true });
      });
      const { authorities } = deployedTopology(deployment);
      const ports = await choosePorts(0, authorities.length);
      const tools = findTools(toolsRoot, 'raft', 'fabric-ca');
      const share = (name: string): string => join(folder, 'shares', name);
      let isFull = true;
      const options: MaterialOptions = {
        deployment,
        tools,
        root: join(folder, 'material'),
        shareOf(name) {
          if (isFull && name === 'operator') throw new Error('no space left on device');
          return share(name);
        },
        authorityAt: (_, index) => ({ host: 'localhost', port: ports[index] ?? 0 }),
        nowMs: Date.now(),
      };
      expect(await writeAuthorities(options)).toBe(true);
      for (const [index, { name }] of authorities.entries()) {
        const place = ['--address', '127.0.0.1', '--port', String(ports[index])];
        const path = tools.path('fabric-ca-server');
        await startProgram(programs, { name, path, args: ['start', '--home', share(name), ...place], environment: {} });
      }
      await expect(writeMaterial(options)).rejects.toThrow('no space left');
      isFull = false;
      expect(await writeMaterial(options)).toBe(true);
      await writeSecret(join(foldersOf(options.root).organization('PlatformMSP').enrolling, 'secret'), '');
      expect(await writeMaterial(options)).toBe(false);
      for (const [name, files] of sharesOf(deployment)) {
        for (const file of files) expect([file, (await stat(join(share(name), file))).isFile()]).toEqual([file, true]);
      }
      // What was needed for the case of an interruption is gone.
      const left = await readdir(join(folder, 'material'), { recursive: true });
      expect(left.filter((path) => path.includes('enrolling'))).toEqual([]);
    });
  },
  'raft',
  'fabric-ca',
);
