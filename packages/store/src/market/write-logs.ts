/** Storing what the code of jobs printed, up to a limit per replica. */

import { limits, type AccountId, type JobId } from '@assay/core';
import type { Tx } from '../database.ts';

export interface NewLogLine {
  readonly replica: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** What became of some lines: how many were stored for which jobs, and replicas that this worker does not hold. */
export interface LogsWritten {
  readonly stored: number;
  readonly jobs: readonly LoggedJob[];
  readonly notHeld: readonly string[];
}

/** A job that got lines, with its customer. */
export interface LoggedJob {
  readonly jobId: JobId;
  readonly accountId: AccountId;
}

interface Room extends LoggedJob {
  readonly id: string;
  readonly unitId: string;
  readonly lines: bigint;
  readonly bytes: bigint;
}

const readRoom = {
  name: 'log-room',
  text: `SELECT r.id, r.unit_id AS "unitId", r.job_id AS "jobId", j.customer_id AS "accountId",
      count(l.position) AS lines,
      coalesce(sum(octet_length(l.text)), 0)::bigint AS bytes
    FROM replica r JOIN job j ON j.id = r.job_id LEFT JOIN log l ON l.replica_id = r.id
    WHERE r.id = ANY($1) AND r.worker_id = $2 AND r.state IN ('leased', 'committed', 'revealed')
    GROUP BY r.id, j.id`,
};

const insert = {
  name: 'write-logs',
  text: `INSERT INTO log (job_id, unit_id, replica_id, stream, text)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])`,
};

/** Stores the lines of replicas that `worker` holds; lines beyond `limits.logLines` or `limits.logBytes` are dropped. */
export async function writeLogs(tx: Tx, worker: string, lines: readonly NewLogLine[]): Promise<LogsWritten> {
  const wanted = [...new Set(lines.map((line) => line.replica))];
  const found = await tx.query<Room>(readRoom, [wanted, worker]);
  const rooms = new Map(
    found.map((room) => [room.id, { ...room, lines: Number(room.lines), bytes: Number(room.bytes) }]),
  );
  const kept = lines.filter((line) => {
    const room = rooms.get(line.replica);
    if (!room) return false;
    room.lines += 1;
    room.bytes += Buffer.byteLength(line.text);
    return room.lines <= limits.logLines && room.bytes <= limits.logBytes;
  });
  const column = (pick: (line: NewLogLine) => string | undefined): (string | undefined)[] => kept.map(pick);
  if (kept.length > 0) {
    await tx.query(insert, [
      column((line) => rooms.get(line.replica)?.jobId),
      column((line) => rooms.get(line.replica)?.unitId),
      column((line) => line.replica),
      column((line) => line.stream),
      // PostgreSQL's text holds no NUL.
      column((line) => line.text.toWellFormed().replaceAll('\0', '\uFFFD')),
    ]);
  }
  const used = kept.flatMap((line) => rooms.get(line.replica) ?? []);
  const jobs = new Map(used.map(({ jobId, accountId }) => [jobId, { jobId, accountId }]));
  return {
    stored: kept.length,
    jobs: [...jobs.values()],
    notHeld: wanted.filter((replica) => !rooms.has(replica)),
  };
}
