/** What the units printed, as it comes. */

import type { LogLine } from '@assay/client';
import { Paper } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { Nothing } from './waiting.tsx';

export function LogView({ lines, names }: { lines: readonly LogLine[]; names: ReadonlyMap<string, string> }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return <Nothing>Nothing was printed yet.</Nothing>;
  return (
    <Paper withBorder p="sm">
      <div
        className="log"
        ref={box}
        tabIndex={0}
        role="log"
        aria-label="What the units printed"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {lines.map((line) => (
          <span key={line.position} className={line.stream === 'stdout' ? 'log-line' : 'log-line log-error'}>
            <span className="log-from">{names.get(line.replicaId) ?? line.replicaId.slice(-6)} │ </span>
            {line.text.replace(/\n$/, '')}
          </span>
        ))}
      </div>
    </Paper>
  );
}
