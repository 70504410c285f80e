/** What every driver asks of a unit's files and texts, whatever it runs them in. */

import { isSafePath, refuse, type Details, type Refusal, type SandboxUnit } from '@assay/core';

function no(message: string, details: Details = {}): Refusal {
  return refuse('sandbox.refused', message, details);
}

/** Refuses files that cannot lie beside each other, and texts that a process cannot be given. */
export function admitFilesAndTexts(unit: SandboxUnit): void {
  const paths = unit.inputs.map(({ path }) => path);
  for (const path of [unit.entryPoint, unit.outputDir, ...paths]) {
    if (!isSafePath(path)) throw no('a path is not safe', { path });
  }
  const files = new Set(paths);
  if (files.size !== paths.length) throw no('two inputs have one path');
  if (!files.has(unit.entryPoint)) throw no('the entry point is not among the inputs', { entryPoint: unit.entryPoint });
  for (const path of [`${unit.outputDir}/`, ...paths]) {
    const taken = foldersOf(path).find((folder) => files.has(folder));
    if (taken !== undefined) throw no('an input is to be a file and a folder', { path: taken });
  }
  admitTexts(unit);
}

/** The folders that a path lies in. */
function foldersOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

function admitTexts({ args, environment }: SandboxUnit): void {
  const variables = Object.entries(environment);
  if ([...args, ...variables.flat()].some((text) => text.includes('\0'))) throw no('a text holds a NUL');
  const odd = variables.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (odd) throw no('a variable of the environment has no proper name', { name: odd[0] });
}
