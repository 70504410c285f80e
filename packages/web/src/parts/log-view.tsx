/** What the units printed, as it comes. */

import type { LogLine } from '@assay/client';
import { Paper, Text } from '@mantine/core';
import { useEffect, useRef } from 'react';

export function LogView({ lines, names }: { lines: readonly LogLine[]; names: ReadonlyMap<string, string> }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const nearEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 120;
    if (nearEnd) element.scrollTop = element.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return <Text c="dimmed">Nothing was printed yet.</Text>;
  return (
    <Paper withBorder p="sm">
      <pre className="log" ref={box} tabIndex={0} aria-label="Log">
        {lines.map((line) => (
          <span key={line.position} className={line.stream === 'stderr' ? 'log-error' : undefined}>
            [{names.get(line.replicaId) ?? line.replicaId.slice(-6)}] {line.text}
            {line.text.endsWith('\n') ? '' : '\n'}
          </span>
        ))}
      </pre>
    </Paper>
  );
}
