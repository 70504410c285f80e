/** What a merge reads: the agreed outputs of all work units; and what each unit may write so that they fit. */

import { limits } from './limits.ts';
import { isSafePath, type Tree } from './tree.ts';

/** Where a merge finds an output of a work unit. */
export function mergeInputPath(ordinal: number, path: string): string {
  return `inputs/${String(ordinal).padStart(4, '0')}/${path}`;
}

/** The files and bytes that one work unit may write: for a merge an equal share of what a merge may be given. */
export function outputBounds(
  chunks: number,
  isMerged: boolean,
): { readonly outputFiles: number; readonly outputBytes: number } {
  const { outputFiles, outputBytes } = limits;
  if (!isMerged) return { outputFiles, outputBytes };
  return {
    outputFiles: Math.min(outputFiles, Math.floor(limits.mergeInputFiles / chunks)),
    outputBytes: Math.min(outputBytes, Math.floor(limits.mergeInputBytes / chunks)),
  };
}

/** The first output whose path would be too long or too deep below its unit's folder of a merge's inputs. */
export function unmergeablePath(outputs: Tree): string | undefined {
  return outputs.find(({ path }) => !isSafePath(mergeInputPath(0, path)))?.path;
}
