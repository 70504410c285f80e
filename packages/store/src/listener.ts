/** One connection for all LISTENs of a process, made anew whenever it breaks. */

import { setTimeout as sleep } from 'node:timers/promises';
import { assert, limits } from '@assay/core';
import { Client } from 'pg';
import { translateSqlError } from './sql-errors.ts';

type OnNotify = (payload: string) => void;

/** Hands out subscriptions to channels. */
export interface Listener {
  listen(channel: string, onNotify: OnNotify): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

/** Prepares a listener; it connects at the first subscription and again, with growing pauses, when the line breaks. */
export function openListener(connectionString: string): Listener {
  const channels = new Map<string, Set<OnNotify>>();
  const stop = new AbortController();
  let connecting: Promise<Client> | undefined;
  // One statement at a time: a connection takes the next one only when the last is answered.
  let line: Promise<unknown> = Promise.resolve();
  const say = (client: Client, text: string): Promise<unknown> => {
    const said = line.then(() => client.query(text));
    line = said.catch(() => undefined);
    return said;
  };

  const connect = async (): Promise<Client> => {
    const client = await connectTo(connectionString, channels);
    client.once('end', () => void reconnect());
    return client;
  };

  const reconnect = async (): Promise<void> => {
    connecting = undefined;
    let pauseMs: number = limits.databaseReconnectMs;
    for (; !stop.signal.aborted; pauseMs = Math.min(2 * pauseMs, 50 * limits.databaseReconnectMs)) {
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted || channels.size === 0) return;
      try {
        connecting ??= connect();
        await connecting;
        for (const listeners of channels.values()) tell(listeners, '');
        return;
      } catch {
        connecting = undefined;
      }
    }
  };

  return {
    async listen(channel, onNotify) {
      assert(/^[a-z_]{1,63}$/.test(channel), 'a channel is named with lower-case letters and underscores');
      const listeners = channels.get(channel) ?? new Set<OnNotify>();
      const isNew = listeners.size === 0;
      channels.set(channel, listeners.add(onNotify));
      try {
        const wasConnected = connecting !== undefined;
        connecting ??= connect();
        const client = await connecting;
        if (isNew && wasConnected) await say(client, `LISTEN ${channel}`);
      } catch (error) {
        connecting = undefined;
        listeners.delete(onNotify);
        throw translateSqlError(error);
      }
      return {
        async close() {
          listeners.delete(onNotify);
          if (listeners.size > 0 || !channels.delete(channel) || connecting === undefined) return;
          const client = await connecting.catch(() => undefined);
          if (client) await say(client, `UNLISTEN ${channel}`).catch(() => undefined);
        },
      };
    },
    async close() {
      stop.abort();
      channels.clear();
      const client = await connecting?.catch(() => undefined);
      await client?.end().catch(() => undefined);
    },
  };
}

/** A connection that listens to all channels there are. */
async function connectTo(
  connectionString: string,
  channels: ReadonlyMap<string, ReadonlySet<OnNotify>>,
): Promise<Client> {
  const client = new Client({
    connectionString,
    application_name: 'assay listener',
    connectionTimeoutMillis: limits.databaseConnectMs,
    keepAlive: true,
  });
  client.on('notification', ({ channel, payload }) => tell(channels.get(channel), payload ?? ''));
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (const channel of channels.keys()) await client.query(`LISTEN ${channel}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateSqlError(error);
  }
}

function tell(listeners: ReadonlySet<OnNotify> | undefined, payload: string): void {
  for (const onNotify of listeners ?? []) onNotify(payload);
}
