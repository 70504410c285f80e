/** What a merge reads: the agreed outputs of all work units; and what each unit may write so that they fit. */

import { limits } from './limits.ts';
import { isSafePath, type Tree } from './tree.ts';

/** Where a merge finds an output of a work unit. */
export function mergeInputPath(ordinal: number, path: string): string {
  return `inputs/${String(ordinal).padStart(4, '0')}/${path}`;
}

/** What decides how much the units of a job may write. */
export interface OutputNeeds {
  readonly chunks: number;
  /** Whether a merge reads what they write. */
  readonly isMerged: boolean;
  /** A merge's inputs and the bundle have to fit into the memory of a unit together. */
  readonly memoryBytes: number;
  readonly bundle: Tree;
}

/** The files and bytes that one work unit may write: for a merge an equal share of what a merge may be given. */
export function outputBounds(needs: OutputNeeds): { readonly outputFiles: number; readonly outputBytes: number } {
  const { outputFiles, outputBytes } = limits;
  if (!needs.isMerged) return { outputFiles, outputBytes };
  const bundleBytes = needs.bundle.reduce((sum, file) => sum + file.sizeBytes, 0);
  const mergeBytes = Math.min(limits.mergeInputBytes, Math.max(0, needs.memoryBytes - bundleBytes));
  return {
    outputFiles: Math.min(outputFiles, Math.floor(limits.mergeInputFiles / needs.chunks)),
    outputBytes: Math.min(outputBytes, Math.floor(mergeBytes / needs.chunks)),
  };
}

/** The first output whose path would be too long or too deep below its unit's folder of a merge's inputs. */
export function unmergeablePath(outputs: Tree): string | undefined {
  return outputs.find(({ path }) => !isSafePath(mergeInputPath(0, path)))?.path;
}
