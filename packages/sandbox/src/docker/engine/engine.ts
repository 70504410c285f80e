/**
 * A Docker Engine of our own for tests, benchmarks and the demo: its own folder, socket and settings, so that an engine
 * which the machine's owner runs is never touched. Several processes may use one; the last to stop ends it, and what a
 * killed one left behind is removed by the next start.
 */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, Refusal } from '@assay/core';
import { askEngine, engineAnswers } from './api.ts';
import { programSettings } from './config.ts';
import { exclusively } from './exclusive.ts';
import { engineFolders, engineSettings, type EngineFolders } from './folders.ts';
import { engineProcesses, removeLeftovers } from './leftovers.ts';
import { alive, allGone, readProcess, signalProcess } from './processes.ts';
import { findProgram, findRunsc, lacking } from './programs.ts';

export interface Engine {
  readonly socketPath: string;
  /** The control group that containers must be put below (`CgroupParent`), so that a crash leaves none behind. */
  readonly cgroupParent: string;
  /** Whether the runtime `runsc` is there beside `runc`. */
  readonly gvisor: boolean;
  /** Ends this use; the last use ends the engine and all its containers. Images stay for the next start. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  /** Where everything of the engine lies; by default ASSAY_ENGINE_DIR. */
  readonly folder?: string;
  /** The gVisor to offer as `runsc`; by default the one that deploy/tools/build made, `none` for none. */
  readonly runsc?: string;
}

const readyMs = 60_000;
const endMs = 15_000;
let uses = 0;

/**
 * Joins the engine in the folder or starts one. Refuses `sandbox.unavailable` where programs or rights are missing, or
 * where the running one has other settings.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const programs = programSettings();
  const reason = lacking('docker', programs);
  if (reason !== undefined) throw new Refusal('sandbox.unavailable', `no engine can be started: ${reason}`);
  const runsc = options.runsc === 'none' ? undefined : (options.runsc ?? findRunsc(programs));
  const folders = engineFolders(options.folder ?? programs.engineDir);
  const settings = engineSettings(folders, runsc);
  const use = await exclusively(lockOf(folders), async () => {
    const users = liveUsers(folders);
    const running = users.length > 0 && (await engineAnswers(folders.socket));
    if (running && readFileSync(folders.settings, 'utf8') !== settings) {
      throw new Refusal('sandbox.unavailable', `the engine in ${folders.folder} runs with other settings`);
    }
    if (!running) await startAfresh(folders, settings);
    return addUse(folders);
  });
  let stopped: Promise<void> | undefined;
  return {
    socketPath: folders.socket,
    cgroupParent: folders.cgroupParent,
    gvisor: runsc !== undefined,
    stop: () => (stopped ??= endUse(folders, use)),
  };
}

function lockOf(folders: EngineFolders): string {
  return `the engine in ${folders.folder}`;
}

/** Removes what an earlier one left, starts the daemon, waits until it answers, and empties it of containers. */
async function startAfresh(folders: EngineFolders, settings: string): Promise<void> {
  await removeLeftovers(folders);
  writeFileSync(folders.settings, settings);
  const log = openSync(folders.log, 'w', 0o600);
  const { path } = programSettings();
  const child = spawn(findProgram('dockerd') ?? 'dockerd', ['--config-file', folders.settings], {
    cwd: folders.folder,
    // A session of its own, so that a terminal's interrupt reaches it only through `stop`.
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: path.join(':'), HOME: folders.folder },
  });
  closeSync(log);
  child.unref();
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `status ${code}`}`));
  });
  const problem = await Promise.race([failed, untilReady(folders.socket)]);
  if (problem !== undefined) {
    await removeLeftovers(folders);
    const lines = readFileSync(folders.log, 'utf8').trim().split('\n').slice(-5).join('\n');
    throw new Fault('sandbox.fault', `the engine does not start: ${problem}\n${lines}`, { retry: true });
  }
  await removeContainers(folders.socket);
}

/** Resolves to undefined once the engine answers, to what is wrong otherwise. */
async function untilReady(socketPath: string): Promise<string | undefined> {
  const lastMs = performance.now() + readyMs;
  while (performance.now() < lastMs) {
    if (existsSync(socketPath) && (await engineAnswers(socketPath))) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `it did not answer within ${readyMs / 1000} s`;
}

/** For when nobody uses the engine: every container in it then is a forgotten one. */
async function removeContainers(socketPath: string): Promise<void> {
  const { body } = await askEngine(socketPath, 'GET', '/containers/json?all=1');
  const containers = JSON.parse(body) as readonly { readonly Id: string }[];
  for (const { Id } of containers) await askEngine(socketPath, 'DELETE', `/containers/${Id}?force=1&v=1`);
}

async function endUse(folders: EngineFolders, use: string): Promise<void> {
  await exclusively(lockOf(folders), async () => {
    rmSync(use, { force: true });
    if (liveUsers(folders).length > 0) return;
    // Else the daemon waits ten seconds for each container that does not listen to it.
    await removeContainers(folders.socket).catch(() => undefined);
    const processes = engineProcesses(folders);
    const daemon = processes.find(({ command }) => command[0]?.endsWith('dockerd'));
    if (daemon) {
      signalProcess(daemon, 'SIGTERM');
      await allGone([daemon], endMs);
    }
    await removeLeftovers(folders);
  });
}

/** Marks this process as a user and returns the mark's file. */
function addUse(folders: EngineFolders): string {
  const self = readProcess(process.pid);
  if (!self) throw new Fault('sandbox.fault', '/proc does not show this process', { retry: false });
  uses += 1;
  const file = join(folders.users, `${self.pid}-${self.startTicks}-${uses}`);
  writeFileSync(file, '');
  return file;
}

/** The marks of processes that still run; those of others are removed. */
function liveUsers(folders: EngineFolders): string[] {
  return readdirSync(folders.users).filter((name) => {
    const [pid, startTicks = ''] = name.split('-');
    if (alive({ pid: Number(pid), startTicks })) return true;
    rmSync(join(folders.users, name), { force: true });
    return false;
  });
}
