import { limits, newId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepWork } from './sweep-work.ts';
import { createJobFacts } from './job-facts.ts';
import {
  addAccount,
  addDevice,
  addJob,
  ids,
  letterOf,
  openScene,
  resultOf,
  say,
  sha256,
  type Device,
  type Result,
  type Scene,
} from './work-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const devices = (count: number): Promise<Device[]> =>
  Promise.all(Array.from({ length: count }, () => addDevice(scene.database.db)));

/** Claims one replica with each device. */
async function claimAll(group: readonly Device[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const device of group) {
    const { offers } = await say(scene.exchanges[0], device, { claim: 1 });
    expect(offers).toHaveLength(1);
    for (const offer of offers) results.push(resultOf(offer));
  }
  return results;
}

const say0 = (device: Device | undefined, saying: Parameters<typeof say>[2]) => {
  if (!device) throw new Error('no such device');
  return say(scene.exchanges[0], device, saying);
};

async function jobRow(job: string): Promise<Record<string, unknown>> {
  const [row] = await scene.database.db.query<Record<string, unknown>>('SELECT * FROM job WHERE id = $1', [job]);
  if (!row) throw new Error('no such job');
  return row;
}

async function states(job: string): Promise<string[]> {
  const rows = await scene.database.db.query<{ state: string }>(
    'SELECT state FROM replica WHERE job_id = $1 ORDER BY state',
    [job],
  );
  return rows.map((row) => row.state);
}

describe('a unit', () => {
  test('of three honest workers is agreed and its job verified', async () => {
    const job = await addJob(scene.database.db);
    const group = await devices(3);
    const results = await claimAll(group);
    const committed = await Promise.all(
      group.map((device, index) => say0(device, { commits: results.slice(index, index + 1) })),
    );
    expect(committed.flatMap((reply) => reply.refused)).toEqual([]);
    const asked = await Promise.all(group.map((device) => say0(device, { waitMs: 2000 })));
    expect(asked.map((reply) => reply.reveal)).toEqual(results.map((result) => [result.offer.replica]));
    for (const [index, device] of group.entries()) {
      expect((await say0(device, { reveals: results.slice(index, index + 1) })).refused).toEqual([]);
    }
    expect(await states(job)).toEqual(['agreed', 'agreed', 'agreed']);
    expect(await jobRow(job)).toMatchObject({
      state: 'verified',
      units_agreed: 1,
      replicas_running: 0,
      verdicts: 1,
      verdicts_submitted: 1,
    });
    expect(scene.endings.filter((one) => one.job === job)).toEqual([{ job, kind: 'verified' }]);
  });

  test('with one liar asks for a replacement, pays it, and not the liar', async () => {
    const job = await addJob(scene.database.db);
    const group = await devices(3);
    const results = await claimAll(group);
    results[2] = resultOf(results[2]!.offer, 'a lie');
    for (const [index, device] of group.entries()) await say0(device, { commits: results.slice(index, index + 1) });
    for (const [index, device] of group.entries()) await say0(device, { reveals: results.slice(index, index + 1) });
    const [fourth] = await devices(1);
    const [again] = await claimAll([fourth!]);
    await say0(fourth, { commits: [again!] });
    await say0(fourth, { reveals: [again!] });
    expect(await states(job)).toEqual(['agreed', 'agreed', 'agreed', 'disagreed']);
    expect(await jobRow(job)).toMatchObject({ state: 'verified' });
  });

  test('stands on its quorum when no replacement comes in time', async () => {
    const job = await addJob(scene.database.db);
    const group = await devices(3);
    const results = await claimAll(group);
    results[0] = resultOf(results[0]!.offer, 'a lie');
    for (const [index, device] of group.entries()) await say0(device, { commits: results.slice(index, index + 1) });
    for (const [index, device] of group.entries()) await say0(device, { reveals: results.slice(index, index + 1) });
    expect(await jobRow(job)).toMatchObject({ state: 'funded' });
    await scene.database.db.query(`UPDATE unit SET wanted_since = wanted_since - interval '1 hour' WHERE job_id = $1`, [
      job,
    ]);
    await sweep();
    expect(await states(job)).toEqual(['agreed', 'agreed', 'disagreed']);
    expect(await jobRow(job)).toMatchObject({ state: 'verified' });
  });

  test('whose replicas fail alike fails its job', async () => {
    const job = await addJob(scene.database.db, { chunks: 2 });
    const group = await devices(3);
    const results = (await claimAll(group)).map((one) => ({ ...resultOf(one.offer, ''), exitCode: 3 }));
    for (const [index, device] of group.entries()) await say0(device, { commits: results.slice(index, index + 1) });
    const other = await say0((await devices(1))[0], { claim: 1 });
    for (const [index, device] of group.entries()) await say0(device, { reveals: results.slice(index, index + 1) });
    expect(await states(job)).toEqual(['failed', 'failed', 'failed', 'withdrawn']);
    expect(other.offers).toHaveLength(1);
    expect(await jobRow(job)).toMatchObject({
      state: 'refunded',
      failure_code: 'job.code_failed',
      replicas_running: 0,
    });
    expect(scene.endings.filter((one) => one.job === job)).toEqual([{ job, kind: 'failed', code: 'job.code_failed' }]);
  });

  test('goes to nobody twice: not to a worker, not to another worker of its owner', async () => {
    const job = await addJob(scene.database.db);
    const owner = await addAccount(scene.database.db);
    const first = await addDevice(scene.database.db, owner);
    const second = await addDevice(scene.database.db, owner);
    expect((await say0(first, { claim: 5 })).offers.map((offer) => offer.job)).toEqual([job]);
    expect((await say0(first, { claim: 5 })).offers).toEqual([]);
    expect((await say0(second, { claim: 5 })).offers).toEqual([]);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('of a job with a merge script is followed by the merge, whose inputs are the agreed outputs', async () => {
    const job = await addJob(scene.database.db, { chunks: 2, redundancy: 1, merge: true });
    const [device] = await devices(1);
    const { offers } = await say0(device, { claim: 5 });
    expect(offers).toHaveLength(2);
    const results = offers.map((offer) => resultOf(offer));
    expect((await say0(device, { commits: results })).reveal).toHaveLength(2);
    const next = await say0(device, { reveals: results, claim: 5, waitMs: 2000 });
    expect(next.offers).toMatchObject([{ kind: 'merge', ordinal: 0, job }]);
    expect(next.offers[0]?.inputs?.map((file) => file.path)).toEqual(['inputs/0000/out.txt', 'inputs/0001/out.txt']);
    const merged = next.offers.map((offer) => resultOf(offer, 'whole'));
    await say0(device, { commits: merged });
    await say0(device, { reveals: merged });
    expect(await jobRow(job)).toMatchObject({ state: 'verified', units_agreed: 3, units_total: 3 });
  });

  test('whose units wrote more than a merge may be given is not read as a whole: one file too many tells enough', async () => {
    const job = await addJob(scene.database.db, { chunks: 3, redundancy: 1, merge: true });
    const [device] = await devices(1);
    const results = (await say0(device, { claim: 5 })).offers.map((offer) => resultOf(offer));
    await say0(device, { commits: results });
    await say0(device, { reveals: results });
    await scene.database.db.query(
      `UPDATE replica SET outputs = (
         SELECT jsonb_agg(outputs->0 || jsonb_build_object('path', 'f' || n)) FROM generate_series(1, $2::int) AS n)
       WHERE id = ANY($1)`,
      [results.map(({ offer }) => offer.replica), limits.mergeInputFiles / 2],
    );
    const { offers } = await say0(device, { claim: 5, waitMs: 2000 });
    expect(offers).toMatchObject([{ kind: 'merge' }]);
    expect(offers[0]?.inputs).toHaveLength(limits.mergeInputFiles + 1);
    expect(offers[0]?.inputs?.at(-1)?.path).toBe('inputs/0002/f1');
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('judged by a metric agrees within its tolerance on the lower median', async () => {
    const job = await addJob(scene.database.db, { tolerance: 0.01 });
    const group = await devices(3);
    const results = await Promise.all(
      (await claimAll(group)).map(async (one, index) => {
        const metrics = `{"pi": ${3.14 + index / 1000}}`;
        const hash = Buffer.from(sha256(Buffer.from(metrics))).toString('hex') as never;
        const file = { sizeBytes: metrics.length, sha256: hash };
        const [worker, replica] = [group[index]!.id, one.offer.replica];
        await scene.store.recordUpload({ worker, replica, ...file });
        return { ...one, metrics, outputs: [{ path: 'metrics.json', ...file }] };
      }),
    );
    for (const [index, device] of group.entries()) await say0(device, { commits: results.slice(index, index + 1) });
    for (const [index, device] of group.entries()) await say0(device, { reveals: results.slice(index, index + 1) });
    const [unit] = await scene.database.db.query('SELECT state, agreed_metric FROM unit WHERE job_id = $1', [job]);
    expect(unit).toEqual({ state: 'agreed', agreed_metric: '3.141' });
  });
});

async function sweep() {
  return sweepWork({ store: scene.store, facts: createJobFacts(scene.store), ids, sha256 });
}

describe('leases', () => {
  test('of a silent worker end, and its replica goes to another', async () => {
    const job = await addJob(scene.database.db, { redundancy: 1 });
    const [silent, other] = await devices(2);
    const [result] = await claimAll([silent!]);
    expect((await say0(other, { claim: 1 })).offers).toEqual([]);
    await age(silent!);
    expect((await sweep()).lost).toBe(1);
    expect((await say0(other, { claim: 1 })).offers).toHaveLength(1);
    expect((await say0(silent, { commits: [result!] })).refused).toEqual([
      { replica: result!.offer.replica, code: 'replica.lease_expired' },
    ]);
    expect(await states(job)).toEqual(['leased', 'lost']);
    expect((await jobRow(job))['replicas_running']).toBe(1);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('of a worker that speaks of its replica are renewed, of one it forgot they end', async () => {
    const job = await addJob(scene.database.db, { redundancy: 1, chunks: 2 });
    const [device] = await devices(1);
    const { offers } = await say0(device, { claim: 2 });
    await scene.database.db.query(`UPDATE replica SET lease_until = assay_now() - interval '1 s' WHERE job_id = $1`, [
      job,
    ]);
    const kept = offers[0]!.replica;
    expect((await say0(device, { running: [kept] })).stop).toEqual([]);
    expect(await states(job)).toEqual(['leased', 'lost']);
    expect((await say0(device, { running: offers.map((offer) => offer.replica) })).stop).toEqual([offers[1]!.replica]);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('are renewed no longer than the unit may take', async () => {
    const job = await addJob(scene.database.db, { redundancy: 1 });
    const [device] = await devices(1);
    const { offers } = await say0(device, { claim: 1 });
    const running = offers.map((offer) => offer.replica);
    const at = async () => {
      const [row] = await scene.database.db.query<{ left: number }>(
        'SELECT extract(epoch FROM run_until - claimed_at)::float8 * 1000 AS left FROM replica WHERE job_id = $1',
        [job],
      );
      return row!.left;
    };
    expect(await at()).toBeCloseTo(3_600_000 + limits.runSlackMs, -2);
    await scene.database.owner.query(`UPDATE replica SET run_until = assay_now() + interval '5 s' WHERE job_id = $1`, [
      job,
    ]);
    await say0(device, { running });
    const [row] = await scene.database.db.query(
      'SELECT lease_until = run_until AS same FROM replica WHERE job_id = $1',
      [job],
    );
    expect(row).toEqual({ same: true });
    await scene.database.owner.query(
      `UPDATE replica SET run_until = assay_now() - interval '1 s', lease_until = assay_now() - interval '1 s' WHERE job_id = $1`,
      [job],
    );
    expect((await say0(device, { running })).stop).toEqual(running);
    expect(await states(job)).toEqual(['lost']);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('of a silent worker end however many others wait silently for a unit to open', async () => {
    const job = await addJob(scene.database.db, { chunks: limits.sweepDesks + 1, redundancy: 2 });
    const owner = await addAccount(scene.database.db);
    const silent = await Promise.all(
      Array.from({ length: limits.sweepDesks + 1 }, () => addDevice(scene.database.db, owner)),
    );
    const results = await claimAll(silent);
    for (const [index, device] of silent.slice(1).entries()) {
      await say0(device, { commits: results.slice(index + 1, index + 2) });
    }
    await scene.database.owner.query(`UPDATE desk SET seen_at = assay_now() - interval '2 hours'`);
    await scene.database.owner.query(
      `UPDATE desk SET seen_at = assay_now() - interval '30 minutes' WHERE worker_id = $1`,
      [silent[0]!.id],
    );
    await scene.database.owner.query(
      `UPDATE replica SET lease_until = assay_now() - interval '20 minutes' WHERE worker_id = $1`,
      [silent[0]!.id],
    );
    expect((await sweep()).lost).toBe(1);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('a committed worker that does not reveal in time is lost and the unit goes on', async () => {
    const job = await addJob(scene.database.db, { redundancy: 2 });
    const [one, two] = await devices(2);
    const results = await claimAll([one!, two!]);
    await say0(one, { commits: results.slice(0, 1) });
    await say0(two, { commits: results.slice(1, 2) });
    await say0(one, { reveals: results.slice(0, 1) });
    await scene.database.db.query(`UPDATE unit SET reveal_due_at = assay_now() - interval '1 s' WHERE job_id = $1`, [
      job,
    ]);
    await age(two!);
    await sweep();
    expect(await states(job)).toEqual(['lost', 'revealed']);
    const [unit] = await scene.database.db.query('SELECT state, wanted, planned FROM unit WHERE job_id = $1', [job]);
    expect(unit).toEqual({ state: 'running', wanted: 1, planned: 3 });
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });
});

test('replicas of a unit far down the pool go to one party once, although all ask at the same time', async () => {
  const { db, owner } = scene.database;
  const asks = { resources: { memory_gb: 60, expected_minutes: 0.01 } };
  const head = await addJob(db, { chunks: limits.tickOpenUnits, redundancy: 1, asks });
  const job = await addJob(db, { redundancy: 3 });
  await owner.query('UPDATE unit SET position = position + 100000000 WHERE job_id = $1', [job]);
  const house = await devices(3);
  await owner.query(`UPDATE worker SET hub = 'one house' WHERE id = ANY($1)`, [house.map((device) => device.id)]);
  const replies = await Promise.all(house.map((device) => say(scene.exchanges[0], device, { claim: 1, waitMs: 1000 })));
  expect(replies.flatMap((reply) => reply.offers)).toHaveLength(1);
  expect(await states(job)).toEqual(['leased']);
  await owner.query('UPDATE unit SET wanted = 0 WHERE job_id = ANY($1)', [[head, job]]);
});

test('results that no merge can be given are refused, and those that it can are not', async () => {
  const job = await addJob(scene.database.db, { redundancy: 1, chunks: 10_000, merge: true });
  await scene.database.owner.query('UPDATE unit SET wanted = 0 WHERE job_id = $1 AND ordinal > 0', [job]);
  const [device] = await devices(1);
  const [claimed] = await claimAll([device!]);
  const empty = (path: string) => ({ path, sizeBytes: 0, sha256: claimed!.outputs[0]!.sha256 });
  const many = ['a', 'b', 'c'].map(empty);
  for (const outputs of [many, [empty('a/b/c/d/e/f/g')]]) {
    const result = { ...claimed!, outputs };
    await say0(device, { commits: [result] });
    expect((await say0(device, { reveals: [result] })).refused).toMatchObject([{ code: 'result.malformed' }]);
    await scene.database.owner.query(`UPDATE replica SET state = 'leased', commitment = NULL WHERE job_id = $1`, [job]);
  }
  const result = { ...claimed!, outputs: many.slice(1) };
  await say0(device, { commits: [result] });
  expect((await say0(device, { reveals: [result] })).refused).toEqual([]);
  expect(await states(job)).toEqual(['agreed']);
});

describe('a request', () => {
  test('sent again gets the same offers and changes nothing', async () => {
    const job = await addJob(scene.database.db, { chunks: 4, redundancy: 1 });
    const [device] = await devices(1);
    const letter = letterOf(device!, { claim: 2 });
    const first = await scene.exchanges[0]!.handle(letter.headers, letter.raw);
    const again = await scene.exchanges[0]!.handle(letter.headers, letter.raw);
    expect(first.offers).toHaveLength(2);
    expect(again).toEqual(first);
    expect(await states(job)).toEqual(['leased', 'leased']);
    const results = first.offers.map((offer) => resultOf(offer));
    const commits = letterOf(device!, { commits: results });
    const answers = await Promise.all([1, 2, 3].map(() => scene.exchanges[0]!.handle(commits.headers, commits.raw)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.reveal).toHaveLength(2);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('with a reused id, a wrong root, a wrong signature, an old time or an unknown worker is refused whole', async () => {
    const job = await addJob(scene.database.db, { redundancy: 1 });
    const [device] = await devices(1);
    const [result] = await claimAll([device!]);
    const request = newId('request', ids);
    await say0(device, { request, claim: 0, failures: [{ replica: newId('replica', ids), reason: 'none' }] });
    const refusalOf = async (saying: Parameters<typeof letterOf>[1], forge: Parameters<typeof letterOf>[2] = {}) => {
      const { headers, raw } = letterOf(device!, saying, forge);
      return scene.exchanges[0]!.handle(headers, raw).then(
        () => 'answered',
        (error: { code?: string }) => error.code,
      );
    };
    expect(await refusalOf({ request, claim: 3 })).toBe('idempotency.key_reused');
    expect(await refusalOf({ claim: 1 }, { root: 'a'.repeat(64) })).toBe('auth.bad_signature');
    expect(await refusalOf({ claim: 1 }, { sentAt: '1000' })).toBe('request.stale');
    expect(await refusalOf({ claim: 1 }, { worker: newId('worker', ids) })).toBe('worker.not_found');
    expect(await refusalOf({ claim: 1 }, { signature: undefined as never })).toBe('auth.bad_signature');
    const forged = letterOf(device!, { commits: [result!] });
    const honest = letterOf(device!, { claim: 0 });
    const swapped = { ...forged.headers, root: honest.headers.root };
    await expect(scene.exchanges[0]!.handle(swapped, forged.raw)).rejects.toMatchObject({ code: 'auth.bad_signature' });
    expect(await states(job)).toEqual(['leased']);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('cannot sign that another class of machine computed a result', async () => {
    const job = await addJob(scene.database.db, { redundancy: 1 });
    const [device] = await devices(1);
    const [result] = await claimAll([device!]);
    await say0(device, { commits: [result!] });
    const other = { ...result!, offer: { ...result!.offer, machineClass: 'class 2' } };
    await expect(say0(device, { reveals: [other] })).rejects.toMatchObject({ code: 'auth.bad_signature' });
    expect(await states(job)).toEqual(['committed']);
    await say0(device, { reveals: [result!] });
    expect(await states(job)).toEqual(['agreed']);
  });

  test('cannot speak of another worker’s replica, reveal early, or reveal what it did not commit to', async () => {
    const job = await addJob(scene.database.db, { redundancy: 2 });
    const [one, two] = await devices(2);
    const results = await claimAll([one!, two!]);
    const codes = async (device: Device | undefined, saying: Parameters<typeof say>[2]) =>
      (await say0(device, saying)).refused.map((item) => item.code);
    expect(await codes(two, { commits: results.slice(0, 1) })).toEqual(['replica.not_found']);
    await say0(one, { commits: results.slice(0, 1) });
    expect(await codes(one, { reveals: results.slice(0, 1) })).toEqual(['replica.reveal_closed']);
    await say0(two, { commits: results.slice(1, 2) });
    expect(await codes(one, { reveals: [{ ...results[0]!, outputs: [] }] })).toEqual(['replica.commitment_mismatch']);
    expect(await codes(one, { reveals: results.slice(0, 1) })).toEqual([]);
    expect(await codes(one, { reveals: results.slice(0, 1) })).toEqual(['replica.wrong_state']);
    expect(await states(job)).toEqual(['committed', 'revealed']);
  });

  test('reveals only outputs that were uploaded', async () => {
    await addJob(scene.database.db, { redundancy: 1 });
    const [device] = await devices(1);
    const [claimed] = await claimAll([device!]);
    const hash = Buffer.from(sha256(Buffer.from('five!'))).toString('hex') as never;
    const outputs = [{ path: 'out.txt', sizeBytes: 5, sha256: hash }];
    const result = { ...claimed!, outputs };
    await say0(device, { commits: [result] });
    expect((await say0(device, { reveals: [result] })).refused.map((item) => item.code)).toEqual([
      'replica.output_missing',
    ]);
    const upload = { replica: result.offer.replica, sha256: outputs[0]!.sha256, sizeBytes: 5 };
    await expect(scene.store.recordUpload({ ...upload, worker: newId('worker', ids) })).rejects.toMatchObject({
      code: 'replica.not_found',
    });
    await scene.store.recordUpload({ ...upload, worker: device!.id });
    expect((await say0(device, { reveals: [result] })).refused).toEqual([]);
  });

  test('cannot list a file of another size than was uploaded, or an empty one that hashes to something', async () => {
    await addJob(scene.database.db, { redundancy: 1 });
    const [device] = await devices(1);
    const [claimed] = await claimAll([device!]);
    const hash = Buffer.from(sha256(Buffer.from('five!'))).toString('hex') as never;
    const upload = { replica: claimed!.offer.replica, sha256: hash, sizeBytes: 5 };
    await scene.store.recordUpload({ ...upload, worker: device!.id });
    const listing = (sizeBytes: number) => ({ ...claimed!, outputs: [{ path: 'out.txt', sizeBytes, sha256: hash }] });
    await say0(device, { commits: [listing(4)] });
    const { refused } = await say0(device, { reveals: [listing(4)] });
    expect(refused.map((item) => item.code)).toEqual(['replica.output_missing']);
    await expect(say0(device, { reveals: [listing(0)] })).rejects.toMatchObject({ code: 'request.malformed' });
  });

  test('waits until there is work and hears of it at once', async () => {
    const [device] = await devices(1);
    const waiting = say0(device, { claim: 1, waitMs: 20_000 });
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    const job = await addJob(scene.database.db, { redundancy: 1 });
    scene.exchanges[0]!.wake({ workers: [], units: true });
    expect((await waiting).offers.map((offer) => offer.job)).toEqual([job]);
    await scene.database.db.query('UPDATE unit SET wanted = 0 WHERE job_id = $1', [job]);
  });

  test('that waits for longer than it wished gets an empty answer', async () => {
    const [device] = await devices(1);
    expect(await say0(device, { claim: 1, waitMs: 50 })).toEqual({
      offers: [],
      jobs: {},
      reveal: [],
      stop: [],
      refused: [],
    });
  });
});

async function age(device: Device): Promise<void> {
  await scene.database.db.query(`UPDATE desk SET seen_at = seen_at - interval '1 h' WHERE worker_id = $1`, [device.id]);
  await scene.database.db.query(
    `UPDATE replica SET lease_until = assay_now() - interval '1 s' WHERE worker_id = $1 AND state = 'leased'`,
    [device.id],
  );
}
