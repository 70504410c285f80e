/** Whether this machine has a graphics processor that an engine could pass on. Which units get one, drivers say. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface GpuFinding {
  /** What people call it; null where there is none or no engine could pass it on. */
  readonly name: string | null;
  /** One sentence: what there is, or what is lacking. */
  readonly text: string;
}

export interface GpuSources {
  readonly devices: string;
  /** Where the driver of NVIDIA describes its cards. */
  readonly cards: string;
  /** The runtimes of the Docker Engine; undefined where none answers. */
  readonly runtimes: () => Promise<readonly string[] | undefined>;
}

const systemSources: Omit<GpuSources, 'runtimes'> = { devices: '/dev', cards: '/proc/driver/nvidia/gpus' };

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

/** Looks for a card of NVIDIA, the only maker whose cards Docker passes on by a runtime of its own. */
export async function detectGpu(sources: Partial<GpuSources> = {}): Promise<GpuFinding> {
  const { devices, cards, runtimes } = { runtimes: async () => undefined, ...systemSources, ...sources };
  const nodes = (await namesIn(devices)).filter((name) => /^nvidia[0-9]+$/.test(name));
  const cardFolders = await namesIn(cards);
  if (nodes.length === 0 && cardFolders.length === 0) return { name: null, text: 'no graphics processor of NVIDIA' };
  const model = await modelOf(cards, cardFolders[0]);
  const known = await runtimes();
  if (known === undefined) return { name: null, text: `${model}, but no Docker Engine answers that could pass it on` };
  if (!known.includes('nvidia')) {
    return { name: null, text: `${model}, but Docker has no runtime "nvidia": install nvidia-container-toolkit` };
  }
  return { name: model, text: `${model}; Docker could pass it on` };
}

async function modelOf(cards: string, folder: string | undefined): Promise<string> {
  if (folder === undefined) return 'a card of NVIDIA';
  const text = await readFile(join(cards, folder, 'information'), 'utf8').catch(() => '');
  return /^Model:\s*(.{1,90})$/m.exec(text)?.[1]?.trim() ?? 'a card of NVIDIA';
}
