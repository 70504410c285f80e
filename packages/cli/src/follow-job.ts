/** Follows a job to its end: progress on one line, logs and changes as they come. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Job, LogLine } from '@assay/client';
import { plain, print, statusLine } from './terminal.ts';

const ended: ReadonlySet<Job['state']> = new Set(['completed', 'refunded', 'cancelled', 'disputed']);

export interface FollowOptions {
  readonly json: boolean;
  /** Whether the units' output is shown. */
  readonly quiet?: boolean;
  readonly signal?: AbortSignal;
}

/** `4 of 11 units agreed, 6 replicas running`. */
export function progressText(job: Job): string {
  const { agreed, units, replicasRunning } = job.counts;
  if (job.state === 'created') return 'waiting for the payment';
  if (job.state === 'verified') return `${agreed} of ${units} units agreed; challenge window open`;
  return `${agreed} of ${units} units agreed, ${replicasRunning} replicas running`;
}

/** Resolves with the job once it is settled, refunded, cancelled or disputed. */
export async function followJob(client: Client, jobId: string, options: FollowOptions): Promise<Job> {
  const line = statusLine();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let logsAfter: string | undefined;
  let told = '';
  const showLogs = async (): Promise<void> => {
    if (options.quiet === true) return;
    for (;;) {
      const page = await client.listLogs(jobId, logsAfter === undefined ? {} : { after: logsAfter });
      for (const entry of page.items) showLog(entry, options.json, line);
      logsAfter = page.next ?? page.items.at(-1)?.position ?? logsAfter;
      // A log's `next` is where to go on later, so only an empty page is the end of what is there.
      if (page.items.length === 0) return;
    }
  };
  const look = async (): Promise<Job | undefined> => {
    const job = await client.getJob(jobId);
    await showLogs();
    if (options.json) {
      const event = JSON.stringify({ job: job.id, state: job.state, counts: job.counts });
      // Looking again is no event.
      if (event !== told) print(event);
      told = event;
    } else line.show(progressText(job));
    return ended.has(job.state) ? job : undefined;
  };
  const bell = changeBell(client, jobId, signal);
  try {
    for (;;) {
      const done = await look();
      if (done) return done;
      await bell.next();
      options.signal?.throwIfAborted();
    }
  } finally {
    stop.abort();
    line.end();
  }
}

const silence = (): void => undefined;
const gatherMs = 200;
const lookAgainMs = 2000;

/** Rings when the job changed, at most five times a second; looks again by itself where the stream says nothing. */
function changeBell(client: Client, jobId: string, signal: AbortSignal): { next(): Promise<void> } {
  let ring = silence;
  const listen = async (): Promise<void> => {
    for await (const change of client.events({ jobId, signal, onState: () => ring() })) {
      if (change.jobId === jobId) ring();
    }
  };
  listen().catch(() => undefined);
  return {
    async next() {
      const rung = new Promise<void>((resolve) => {
        ring = resolve;
      });
      await Promise.race([rung, sleep(lookAgainMs, undefined, { signal }).catch(() => undefined)]);
      await sleep(gatherMs, undefined, { signal }).catch(() => undefined);
    },
  };
}

function showLog(entry: LogLine, json: boolean, line: ReturnType<typeof statusLine>): void {
  if (json) {
    print(JSON.stringify({ log: entry }));
    return;
  }
  line.end();
  print(`  [${entry.replicaId.slice(-6)}] ${plain(entry.text.trimEnd())}`);
}
