import { describe, expect, it } from 'vitest';
import { emptySha256, limits, mergeInputPath, outputBounds } from '@assay/core';
import { jobSpec, replicaId } from './fake-server.setup.ts';
import { checkReply } from './reply.ts';

const jobId = `job_${'b'.repeat(32)}`;
const offer = {
  replica: replicaId(1),
  unit: `unt_${'c'.repeat(32)}`,
  job: jobId,
  kind: 'work',
  ordinal: 1,
  machineClass: 'class 1',
  leaseUntil: '2026-01-01T00:00:00.000Z',
};
const read = (changes: object) => checkReply({ offers: [offer], jobs: { [jobId]: { ...jobSpec, ...changes } } });

describe('the hosts that an offer lets a unit out to', () => {
  it('are taken as the manifest may name them', () => {
    const network = [{ host: 'data.example.org', port: 443 }];
    expect(read({ network }).offers).toMatchObject([{ spec: { network } }]);
    expect(read({}).offers).toHaveLength(1);
  });

  it.each([
    [[{ host: '192.0.2.1', port: 443 }]],
    [[{ host: 'localhost', port: 80 }]],
    [[{ host: 'data.example.org:80', port: 443 }]],
    [[{ host: 'data.example.org', port: 0 }]],
    [[{ host: 'data.example.org', port: '443', extra: 1 }, null]],
    [[{ host: 'data.example.org', port: 1.5 }]],
    [Array.from({ length: limits.networkTargets + 1 }, () => ({ host: 'data.example.org', port: 443 }))],
  ])('are refused as %j', (network) => {
    const { offers, declined } = read({ network });
    expect(offers).toEqual([]);
    expect(declined).toEqual([{ replica: replicaId(1), reason: 'offer_unsound: the network is malformed' }]);
  });
});

/** What `chunks` units write that all write as much as they may. */
const most = (chunks: number, extraBytes = 0) => {
  const { outputFiles, outputBytes } = outputBounds({
    chunks,
    isMerged: true,
    memoryBytes: 2 * limits.mergeInputBytes,
    bundle: [],
  });
  return Array.from({ length: chunks * outputFiles }, (_, index) => ({
    path: mergeInputPath(Math.floor(index / outputFiles), String(index)),
    sizeBytes: index % outputFiles === 0 ? outputBytes + extraBytes : 0,
    sha256: emptySha256,
  }));
};
const merge = (inputs: object[], chunks = 100) => {
  const spec = { ...jobSpec, chunks, mergeScript: 'merge.py' };
  return checkReply({ offers: [{ ...offer, kind: 'merge', inputs }], jobs: { [jobId]: spec } });
};

describe('the inputs of a merge', () => {
  it.each([20, 100, limits.chunks])('are taken where %d units wrote as much as they may', (chunks) => {
    const inputs = most(chunks);
    const { offers, declined } = merge(inputs, chunks);
    expect(declined).toEqual([]);
    expect(offers[0]?.inputs).toHaveLength(jobSpec.bundle.length + inputs.length);
  });

  it('are refused beyond that', () => {
    expect(merge(most(100, 1024)).declined).toMatchObject([{ reason: 'offer_unsound: the inputs is too large' }]);
    const more = [...most(100), { path: 'inputs/0100/x', sizeBytes: 0, sha256: emptySha256 }];
    expect(merge(more).declined).toMatchObject([{ reason: 'offer_unsound: the inputs has too many files' }]);
  });
});
