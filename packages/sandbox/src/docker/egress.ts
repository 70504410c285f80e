/**
 * The connections of a unit: none, or tunnels to exactly the hosts and ports that its manifest lists. The container has
 * no network; what its proxy is asked for comes here as frames, and this process resolves, checks and connects.
 */

import { connect as connectTo, type Socket } from 'node:net';
import type { NetworkTarget } from '@assay/core';
import { FrameViolation } from '../capture/frames.ts';
import { isPublicAddress } from './address-ranges.ts';
import { bounds } from './bounds.ts';
import { hostResolver, type HostResolver } from './host-resolver.ts';
import { collectorKinds, orderFrame, orderKinds } from './wire.ts';

export interface Connection extends NetworkTarget {
  readonly allowed: boolean;
  readonly bytes: number;
}

export interface Egress {
  /** Takes a frame about tunnels; throws `FrameViolation`. */
  hear(kind: number, payload: Uint8Array): void;
  connections(): readonly Connection[];
  close(): void;
}

/** How hosts are found and reached. */
export interface EgressDeps extends HostResolver {
  admits(address: string): boolean;
  connect(address: string, port: number): Socket;
}

/** As one unit reaches the internet. */
const internet = (): EgressDeps => ({
  ...hostResolver(),
  admits: isPublicAddress,
  connect: (address, port) => connectTo({ host: address, port, allowHalfOpen: true }),
});

/** The egress of a unit that may connect to nothing: whatever the collector says of tunnels is out of turn. */
export function noEgress(): Egress {
  return {
    hear() {
      throw new FrameViolation('a tunnel without a network');
    },
    connections: () => [],
    close: () => {},
  };
}

interface Tunnel {
  readonly id: number;
  readonly entry: { host: string; port: number; allowed: boolean; bytes: number };
  socket: Socket | undefined;
  /** Bytes that the unit's program has not taken yet. */
  owed: number;
  closed: boolean;
}

/** All that belongs to one unit's connections. */
interface Exit {
  readonly targets: readonly NetworkTarget[];
  readonly deps: EgressDeps;
  readonly tunnels: Map<number, Tunnel>;
  readonly log: Tunnel['entry'][];
  bytes: number;
  closed: boolean;
  say(kind: (typeof orderKinds)[keyof typeof orderKinds], id: number, rest?: Uint8Array): void;
}

/** Lets the unit out to `targets`; `send` gives frames to the collector. */
export function egressTo(
  targets: readonly NetworkTarget[],
  send: (frame: Uint8Array) => Promise<void>,
  changes: Partial<EgressDeps> = {},
): Egress {
  const exit: Exit = {
    targets,
    deps: { ...internet(), ...changes },
    tunnels: new Map(),
    log: [],
    bytes: 0,
    closed: false,
    say: (kind, id, rest = new Uint8Array()) => void send(orderFrame(kind, Buffer.concat([number(id), rest]))),
  };
  return {
    hear: (kind, payload) => hear(exit, kind, Buffer.from(payload)),
    connections: () => exit.log.map((entry) => ({ ...entry })),
    close() {
      exit.closed = true;
      exit.deps.cancel();
      for (const tunnel of exit.tunnels.values()) tunnel.socket?.destroy();
      exit.tunnels.clear();
    },
  };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function hear(exit: Exit, kind: number, payload: Buffer): void {
  if (payload.length < 4) throw new FrameViolation('a tunnel without a number');
  const id = payload.readUInt32BE();
  const rest = payload.subarray(4);
  if (kind === collectorKinds.tunnelOpen) {
    begin(exit, id, rest.toString('latin1'));
    return;
  }
  // What is under way when a tunnel ends is no offence.
  const tunnel = exit.tunnels.get(id);
  if (kind === collectorKinds.tunnelTaken) {
    if (rest.length !== 4) throw new FrameViolation('took what?');
    if (tunnel) taken(tunnel, rest.readUInt32BE());
  } else if (kind === collectorKinds.tunnelEnd) {
    tunnel?.socket?.end();
  } else if (tunnel?.socket) {
    count(exit, tunnel, rest.length);
    tunnel.socket.write(rest, () => exit.say(orderKinds.tunnelTaken, id, number(rest.length)));
  }
}

function begin(exit: Exit, id: number, target: string): void {
  const { log, tunnels } = exit;
  if (tunnels.has(id)) throw new FrameViolation('a tunnel twice');
  if (log.length >= bounds.tunnels || tunnels.size >= bounds.tunnelsOpen || exit.bytes > bounds.tunnelBytes) {
    exit.say(orderKinds.tunnelRefused, id, Buffer.from('too many connections, or too many bytes'));
    return;
  }
  const [, host = target.slice(0, 270), port = ''] = /^([A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(target) ?? [];
  const entry = { host: host.toLowerCase(), port: Number(port), allowed: false, bytes: 0 };
  const tunnel: Tunnel = { id, entry, socket: undefined, owed: 0, closed: false };
  log.push(entry);
  tunnels.set(id, tunnel);
  void open(exit, tunnel);
}

async function open(exit: Exit, tunnel: Tunnel): Promise<void> {
  const { entry, id } = tunnel;
  const refusal = exit.targets.some(({ host, port }) => host === entry.host && port === entry.port)
    ? await reach(exit.deps, tunnel)
    : 'the manifest does not list this host and port';
  if (exit.closed || !exit.tunnels.has(id)) {
    tunnel.socket?.destroy();
    return;
  }
  if (refusal === undefined && tunnel.socket) {
    entry.allowed = true;
    exit.say(orderKinds.tunnelOpened, id);
    pump(exit, tunnel, tunnel.socket);
    return;
  }
  exit.tunnels.delete(id);
  exit.say(orderKinds.tunnelRefused, id, Buffer.from(refusal ?? 'no connection'));
}

function pump(exit: Exit, tunnel: Tunnel, socket: Socket): void {
  socket.on('data', (bytes) => {
    count(exit, tunnel, bytes.length);
    for (let at = 0; at < bytes.length && !tunnel.closed; at += bounds.tunnelPieceBytes) {
      const piece = bytes.subarray(at, at + bounds.tunnelPieceBytes);
      tunnel.owed += piece.length;
      exit.say(orderKinds.tunnelData, tunnel.id, piece);
    }
    if (tunnel.owed > bounds.tunnelWindowBytes) socket.pause();
  });
  socket.on('end', () => {
    if (!tunnel.closed) exit.say(orderKinds.tunnelEnd, tunnel.id);
    tunnel.closed = true;
  });
  socket.setTimeout(bounds.tunnelIdleMs, () => end(exit, tunnel));
  socket.on('error', () => end(exit, tunnel));
  socket.on('close', () => end(exit, tunnel));
}

function end(exit: Exit, tunnel: Tunnel): void {
  tunnel.socket?.destroy();
  if (!tunnel.closed) exit.say(orderKinds.tunnelEnd, tunnel.id);
  tunnel.closed = true;
  exit.tunnels.delete(tunnel.id);
}

function count(exit: Exit, tunnel: Tunnel, bytes: number): void {
  tunnel.entry.bytes += bytes;
  exit.bytes += bytes;
  if (exit.bytes > bounds.tunnelBytes) for (const one of exit.tunnels.values()) end(exit, one);
}

function taken(tunnel: Tunnel, bytes: number): void {
  if (bytes > tunnel.owed) throw new FrameViolation('took more than it was sent');
  tunnel.owed -= bytes;
  if (tunnel.owed <= bounds.tunnelWindowBytes) tunnel.socket?.resume();
}

/** Connects the tunnel, or says why not. The address that was checked is the one that is dialled. */
async function reach(deps: EgressDeps, tunnel: Tunnel): Promise<string | undefined> {
  const { host, port } = tunnel.entry;
  let addresses: readonly string[];
  try {
    addresses = await deps.resolve(host);
  } catch {
    return 'the host has no address';
  }
  const [address] = addresses;
  if (address === undefined) return 'the host has no address';
  // One address out of bounds shuts out the rest: a name that points inside has no honest reason to.
  if (!addresses.every((one) => deps.admits(one))) return 'the host’s address is not one of the public internet';
  const socket = deps.connect(address, port);
  return new Promise((resolve) => {
    const fail = () => {
      socket.destroy();
      resolve('the host does not answer');
    };
    socket.setTimeout(bounds.tunnelConnectMs, fail);
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      socket.setTimeout(0);
      socket.on('error', () => {});
      tunnel.socket = socket;
      resolve(undefined);
    });
  });
}
