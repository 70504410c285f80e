/** Gathers the lines of running units and sends them in batches; text is worth less than work, so it is dropped first. */

import type { LogRequest } from '@assay/client';
import { limits, type LogSink, type ReplicaId } from '@assay/core';

export interface LogBatch {
  /** The log of one replica; what exceeds the log limits is dropped. */
  open(replica: ReplicaId): ReplicaLog;
  /** Sends what waits; a batch that cannot be sent is dropped. */
  flush(): Promise<void>;
}

interface ReplicaLog {
  readonly sink: LogSink;
  /** Passes on a last line that has no line end. */
  end(): void;
}

type Line = LogRequest['lines'][number];

/** A batch that is sent every `limits.logFlushMs` through `send`. */
export function logBatch(send: (lines: readonly Line[]) => Promise<void>): LogBatch {
  const waiting: Line[] = [];
  let sending: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const sendAll = async () => {
    while (waiting.length > 0) await send(waiting.splice(0, limits.logBatchLines)).catch(() => {});
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    sending = sending.then(sendAll);
    return sending;
  };
  const add = (line: Line) => {
    if (waiting.length >= limits.logQueueLines) return;
    waiting.push(line);
    timer ??= setTimeout(() => void flush(), limits.logFlushMs);
  };
  return { open: (replica) => replicaLog(replica, add), flush };
}

function replicaLog(replica: ReplicaId, add: (line: Line) => void): ReplicaLog {
  let lines = 0;
  let chars = 0;
  const held = { stdout: '', stderr: '' };
  const emit = (stream: 'stdout' | 'stderr', line: string) => {
    const text = line.replaceAll('\0', '');
    lines += 1;
    chars += text.length + 1;
    if (lines <= limits.logLines && chars <= limits.logBytes) add({ replica, stream, text });
  };
  const sink: LogSink = (stream, text) => {
    const pieces = (held[stream] + text).split('\n');
    let rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      let at = 0;
      do emit(stream, piece.slice(at, (at += limits.logLineChars)));
      while (at < piece.length);
    }
    while (rest.length > limits.logLineChars) {
      emit(stream, rest.slice(0, limits.logLineChars));
      rest = rest.slice(limits.logLineChars);
    }
    held[stream] = rest;
  };
  return {
    sink,
    end() {
      for (const stream of ['stdout', 'stderr'] as const) {
        if (held[stream] !== '') emit(stream, held[stream]);
        held[stream] = '';
      }
    },
  };
}
