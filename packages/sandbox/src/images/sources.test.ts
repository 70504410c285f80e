import { expect, test } from 'vitest';
import { packageSources } from './sources.ts';

const line = (...parts: string[]): string => parts.join('\t');

test('takes the machine’s own sources of the suite, its updates and its security fixes, once each', () => {
  const targets = [
    line('http://mirror.example/debian/', 'bookworm', 'main', '/usr/share/keyrings/a.gpg'),
    line('http://mirror.example/debian/', 'bookworm', 'main', '/usr/share/keyrings/a.gpg'),
    line('http://mirror.example/debian/', 'bookworm', 'contrib', '/usr/share/keyrings/a.gpg'),
    line('http://mirror.example/debian/', 'bookworm-updates', 'main', ''),
    line('http://mirror.example/security/', 'bookworm-security', 'main', '$(SIGNED_BY)'),
    line('http://mirror.example/debian/', 'trixie', 'main', ''),
    line('http://other.example/node/', 'nodistro', 'main', ''),
  ];
  expect(packageSources('bookworm', targets.join('\n'))).toEqual([
    'deb [signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian/ bookworm main',
    'deb http://mirror.example/debian/ bookworm-updates main',
    'deb http://mirror.example/security/ bookworm-security main',
  ]);
});

test('leaves it to Debian’s servers where the machine has another system', () => {
  expect(packageSources('bookworm', '')).toEqual([]);
  expect(packageSources('bookworm', line('http://mirror.example/u/', 'noble', 'main', ''))).toEqual([]);
  expect(packageSources('bookworm', line('http://mirror.example/d/', 'bookworm-updates', 'main', ''))).toEqual([]);
});

test('takes no address that is more than one word', () => {
  expect(packageSources('bookworm', line('http://a.example/d [trusted=yes]', 'bookworm', 'main', ''))).toEqual([]);
});
