/**
 * Keeps containers: starts them, holds some ready, removes them when they are done, and removes those of drivers that
 * are no more. A container serves one unit and is never used again.
 */

import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { processIdentity } from '../wasm/process-figures.ts';
import { startCell, type Cell, type CellDeps } from './cell.ts';
import { cgroupsBelow, killBelow, removeCgroup } from './cgroup.ts';
import type { CellClass } from './container-body.ts';
import { DaemonError, type Daemon } from './daemon.ts';
import { poolOf } from './pool.ts';
import { trafficOf } from './traffic.ts';

export interface CellKeeper {
  /**
   * A waiting container of the class where there is one, else a new one. `ahead`: what waiting ones start before; without
   * it none waits, before or after.
   */
  take(wanted: CellClass, ahead?: readonly string[]): Promise<Cell>;
  /** The unit of the container has ended; what is left of it goes when there is time. */
  done(cell: Cell): void;
  /** Resolves when as many containers of the class wait as should. */
  fill(wanted: CellClass, ahead: readonly string[]): Promise<void>;
  /** Removes what drivers of the same folder that are no more have left; returns how much that was. */
  sweep(): Promise<number>;
  /** Removes everything that this keeper has; resolves when it is gone. */
  close(): Promise<void>;
}

export interface KeeperDeps {
  readonly daemon: Daemon;
  /** Where the runs of this keeper's driver keep their files; its containers bear the name. */
  readonly workDir: string;
  /** By the daemon's report. */
  readonly countsSockets: boolean;
  /** The cgroup that all containers lie below; undefined where cgroups are out of reach. */
  readonly cgroupBase: string | undefined;
  readonly warm: { readonly cells: number; readonly memoryBytes: number };
  readonly weaken?: CellDeps['weaken'];
  readonly note: (text: string) => void;
}

const hostLabel = 'assay.sandbox.host';
const ownerLabel = 'assay.sandbox.owner';
const folderLabel = 'assay.sandbox.folder';
/** The keepers of this process that are open. */
const open = new Set<string>();

/** Who owns a container: a process of this host, by id and start, and a keeper in it. */
function ownerName(keeper: string): string {
  return `${process.pid}-${startOf(process.pid)}-${keeper}`;
}

function startOf(pid: number): string {
  return (processIdentity(pid) ?? 'gone').replaceAll(/[^A-Za-z0-9]/g, '');
}

function isOpen(owner: string): boolean {
  const [pid, start, keeper = ''] = owner.split('-');
  if (Number(pid) === process.pid && start === startOf(process.pid)) return open.has(keeper);
  return start !== 'gone' && startOf(Number(pid)) === start;
}

/** The cgroups of this folder's drivers: others below the same group are none of their business. */
function groupPrefix({ workDir }: KeeperDeps): string {
  return `unit-${createHash('sha256').update(workDir).digest('hex').slice(0, 12)}-`;
}

/** A keeper; nothing is started before it is asked for. */
export function cellKeeper(deps: KeeperDeps): CellKeeper {
  const keeper = randomBytes(6).toString('hex');
  open.add(keeper);
  const cellDeps: CellDeps = {
    daemon: deps.daemon,
    countsSockets: deps.countsSockets,
    labels: { [hostLabel]: hostname(), [ownerLabel]: ownerName(keeper), [folderLabel]: deps.workDir },
    cgroupPrefix:
      deps.cgroupBase === undefined ? undefined : `${deps.cgroupBase}/${groupPrefix(deps)}${ownerName(keeper)}-`,
    ...(deps.weaken && { weaken: deps.weaken }),
  };
  const traffic = trafficOf(deps.note);
  const start = (wanted: CellClass) => traffic.enter(() => startCell(cellDeps, wanted));
  const pool = poolOf({ ...deps.warm, start, drop: traffic.leave, quiet: traffic.quiet });
  return {
    async take(wanted, ahead) {
      traffic.begin();
      try {
        const waiting = ahead && deps.warm.cells > 0 ? pool.take(wanted, ahead) : undefined;
        return waiting ?? (await start(wanted));
      } catch (error) {
        traffic.end();
        throw error;
      }
    },
    done(cell) {
      traffic.end();
      traffic.leave(cell);
      pool.refill().catch((error: unknown) => deps.note(`no container was started ahead: ${String(error)}`));
    },
    fill: (wanted, ahead) => pool.fill(wanted, ahead),
    sweep: () => sweep(deps),
    async close() {
      traffic.close();
      await pool.close();
      await traffic.empty();
      open.delete(keeper);
    },
  };
}

interface Listed {
  readonly Id: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

async function sweep(deps: KeeperDeps): Promise<number> {
  const { daemon, cgroupBase, workDir } = deps;
  const label = [`${hostLabel}=${hostname()}`, `${folderLabel}=${workDir}`];
  const filters = encodeURIComponent(JSON.stringify({ label }));
  const listed = (await daemon.call('GET', `/containers/json?all=1&filters=${filters}`)) as readonly Listed[];
  let count = 0;
  const groups = cgroupBase === undefined ? [] : cgroupsBelow(cgroupBase).filter((name) => isAbandoned(deps, name));
  // Else the daemon waits for what lies frozen in them.
  for (const name of groups) killBelow(`${cgroupBase}/${name}`);
  for (const { Id: id, Labels: labels = {} } of listed) {
    if (isOpen(labels[ownerLabel] ?? '')) continue;
    await daemon.call('DELETE', `/containers/${id}?force=1&v=1`).catch((error: unknown) => {
      if (!(error instanceof DaemonError) || error.status !== 404) throw error;
    });
    count += 1;
  }
  for (const name of groups) if (removeCgroup(`${cgroupBase}/${name}`)) count += 1;
  return count;
}

/** Whether the group is one of this folder's, of a driver that is no more. */
function isAbandoned(deps: KeeperDeps, name: string): boolean {
  const prefix = groupPrefix(deps);
  const owner = name.startsWith(prefix) ? /^(.+)-[0-9a-f]{16}$/.exec(name.slice(prefix.length))?.[1] : undefined;
  return owner !== undefined && !isOpen(owner);
}
