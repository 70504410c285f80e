/** The bank's webhooks on their way: some get lost, some come twice, all of them in any order. */

import { Refusal } from '@assay/core';
import { receiveWebhook } from '@assay/market';
import type { SimulatedServer } from './simulated-server.ts';
import type { World } from './world.ts';

type Delivery = World['bank']['deliveries'][number];

export interface PostOffice {
  /** How many the bank has handed over so far. */
  taken: number;
  readonly pending: Set<Delivery>;
}

export function postOffice(): PostOffice {
  return { taken: 0, pending: new Set() };
}

/** Takes over what the bank has sent. */
export function collectPost(world: World): void {
  const { post, bank, random, site } = world;
  for (const delivery of bank.deliveries.slice(post.taken)) {
    if (world.isEnding || !random.chance(site.scenario.webhookLoss)) post.pending.add(delivery);
  }
  post.taken = bank.deliveries.length;
}

/** Delivers one of those that wait; it waits on while the server does not acknowledge it. */
export async function deliverPost(world: World, server: SimulatedServer): Promise<string> {
  const { post, random, site } = world;
  if (post.pending.size === 0) return 'no post';
  const delivery = random.pick([...post.pending]);
  const repeats = !world.isEnding && random.chance(site.scenario.webhookRepeat);
  try {
    const isNew = await receiveWebhook(server.trade, { region: 'eu', ...delivery });
    if (!repeats) post.pending.delete(delivery);
    return isNew ? 'a new webhook' : 'a webhook again';
  } catch (error) {
    // Too old to be believed: as good as lost.
    if (!(error instanceof Refusal) || error.code !== 'webhook.unverified') throw error;
    post.pending.delete(delivery);
    return 'a stale webhook';
  }
}
