import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { testDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agreeOnWindow } from '../../agree-on-window.ts';
import {
  describeOnFabric,
  mendNetwork,
  openTestLedger,
  testNetwork,
  toolsRoot,
  type TestNetwork,
} from '../fabric.setup.ts';
import { systemClock } from '../system-clock.ts';
import { factsOfLife, factsOfVotes, freshJob, lifeOf, platform } from '../listing.setup.ts';
import { caIssuer } from './fabric-ca.ts';
import { foldersOf } from './folders.ts';
import { joinNetwork } from './join-network.ts';
import type { NetworkRecord } from './network.ts';
import { networkStatus } from './network-status.ts';
import { readProfile } from './profile.ts';
import { findTools } from './tools.ts';

const organizations = ['OrdererMSP', 'PlatformMSP', 'WorkerRuMSP', 'WorkerEuMSP'];

describeOnFabric(
  'organisations with a fabric-ca each',
  () => {
    let network: TestNetwork;
    beforeAll(async () => {
      network = await testNetwork('raft', 'fabric-ca');
    }, 60_000);
    afterAll(() => network.close());

    const certificateAt = async (...path: string[]): Promise<X509Certificate> =>
      new X509Certificate(await readFile(join(network.folder, ...path)));

    test('enrol nodes in the role of their kind, and TLS certificates with the names of their hosts', async () => {
      const units = {
        'nodes/orderer1/msp/signcerts/cert.pem': 'orderer',
        'nodes/peer.WorkerRuMSP/msp/signcerts/cert.pem': 'peer',
        'nodes/peer.WorkerEuMSP/msp/signcerts/cert.pem': 'peer',
        'organizations/WorkerEuMSP/admin/msp/signcerts/cert.pem': 'admin',
        'wallet/PlatformMSP/orchestrator/cert.pem': 'client',
      };
      for (const [path, unit] of Object.entries(units)) {
        expect([path, (await certificateAt(path)).subject.split('\n')]).toEqual([
          path,
          expect.arrayContaining([`OU=${unit}`]),
        ]);
      }
      const tls = await certificateAt('nodes', 'peer.WorkerRuMSP', 'tls', 'cert.pem');
      expect(tls.checkHost('localhost')).toBe('localhost');
      expect(tls.checkIP('127.0.0.1')).toBe('127.0.0.1');
      expect(tls.keyUsage).toEqual(expect.arrayContaining(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']));
      // One organisation's authority vouches for nobody of another.
      const trust = await certificateAt('trust', 'WorkerRuMSP.pem');
      const other = await certificateAt('trust', 'WorkerEuMSP.pem');
      expect([tls.verify(trust.publicKey), tls.verify(other.publicKey)]).toEqual([true, false]);
    });

    test('put what contracts ask for into the certificates of the market', async () => {
      const raw = (await certificateAt('wallet', 'PlatformMSP', 'arbiter', 'cert.pem')).raw.toString('latin1');
      expect(raw).toContain('"assay.arbiter":"true"');
      expect(raw).not.toContain('assay.orchestrator');
    });

    test('enrol again who was registered by a start that was interrupted', async () => {
      const { topology } = JSON.parse(await readFile(join(network.folder, 'network.json'), 'utf8')) as NetworkRecord;
      const place = topology.authorities.find(({ mspId }) => mspId === 'WorkerRuMSP');
      const open = () => caIssuer(foldersOf(network.folder), findTools(toolsRoot, 'raft', 'fabric-ca'), place!);
      const request = { commonName: 'late.WorkerRuMSP', unit: 'peer' } as const;
      const lost = new X509Certificate((await (await open()).enrol(request)).certificate);
      const issuer = await open();
      const again = new X509Certificate((await issuer.enrol(request)).certificate);
      expect([again.subject, again.verify(new X509Certificate(issuer.members).publicKey)]).toEqual([
        lost.subject,
        true,
      ]);
      expect(again.publicKey.equals(lost.publicKey)).toBe(false);
      await issuer.close();
      // Whoever has no part in that start cannot take the name over.
      const stranger = await open();
      await expect(stranger.enrol(request)).rejects.toThrow(/already registered/);
      await stranger.close();
    });

    test('keep their authorities’ keys with their servers, and no secret open', async () => {
      const { authorities } = await readProfile(network.profile);
      expect(authorities).toBeUndefined();
      const names = (await readdir(network.folder, { recursive: true })).filter((name) =>
        /\.(pem|json|yaml)$/.test(name),
      );
      for (const name of names) {
        const text = await readFile(join(network.folder, name), 'utf8');
        const isSecret = /PRIVATE KEY|"pass"|"secrets"/.test(text);
        if (isSecret) expect([name, (await stat(join(network.folder, name))).mode & 0o077]).toEqual([name, 0]);
      }
      for (const mspId of organizations) {
        const { authority } = foldersOf(network.folder).organization(mspId);
        await expect(stat(authority.key)).rejects.toThrow('ENOENT');
        const own = await certificateAt('nodes', `ca.${mspId}`, 'data', 'ca-cert.pem');
        const key = createPublicKey(await readFile(join(network.folder, 'nodes', `ca.${mspId}`, 'data', 'ca-key.pem')));
        expect(own.publicKey.equals(key)).toBe(true);
      }
    });

    test('make up a network on which a job lives', async () => {
      const database = await testDatabase();
      const ledger = await openTestLedger(network, database.db);
      await agreeOnWindow(ledger, 0, ['PlatformMSP', 'WorkerRuMSP']);
      const outcomes = await ledger.submit(lifeOf(freshJob()), platform);
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('committed'));
      expect((await ledger.facts(1n, 100)).map(({ name }) => name)).toEqual([...factsOfVotes, ...factsOfLife]);
      // The wallet is all that this server can sign with.
      const stranger = { mspId: 'PlatformMSP', name: 'nobody', roles: ['orchestrator'] };
      await expect(ledger.evaluate('Contract', 'getContract', ['job_1'], stranger)).rejects.toMatchObject({
        code: 'config.invalid',
      });
      await ledger.close();
      await database.drop();
    });

    test('run beside the nodes, and are found again', async () => {
      const { state, programs } = await networkStatus(network.folder);
      expect(state).toBe('up');
      const servers = programs.filter(({ name }) => name.startsWith('ca.'));
      expect(servers.map(({ health }) => health)).toEqual(organizations.map(() => 'ok'));
      expect((await mendNetwork(network.folder)).how).toBe('running');
    });

    test('are joined by one more, also where its first start was interrupted', { timeout: 120_000 }, async () => {
      const joining = () =>
        joinNetwork({ folder: network.folder, tools: toolsRoot, clock: systemClock, mspId: 'LaboratoryMSP' });
      // A folder in the place of a file, so that it ends after its authority has started.
      const obstacle = foldersOf(network.folder).trust('LaboratoryMSP');
      await mkdir(obstacle);
      await expect(joining()).rejects.toThrow('EISDIR');
      await rmdir(obstacle);
      expect((await joining()).channels['public-marketplace']).toContain('LaboratoryMSP');
      const { state, programs } = await networkStatus(network.folder);
      expect(state).toBe('up');
      const names = programs.map(({ name }) => name);
      expect(names.filter((name) => name.endsWith('LaboratoryMSP')).toSorted()).toEqual([
        'ca.LaboratoryMSP',
        'contracts.LaboratoryMSP',
        'peer.LaboratoryMSP',
      ]);
    });
  },
  'raft',
  'fabric-ca',
);
