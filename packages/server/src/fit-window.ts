/** The configured challenge window and what the ledger's organisations agreed on. */

import type { Ledger } from '@assay/core';
import { agreeOnWindow, challengeWindowOn } from '@assay/ledger';
import type { FastifyBaseLogger } from 'fastify';

/**
 * On an embedded ledger, whose operator holds all organisations' keys, the configured window is voted for when it is
 * shorter than the rule: the votes are on the ledger for everybody to see. On a network the others decide, so that a
 * mismatch is only told: the ledger will keep money for as long as its rule says.
 */
export async function fitWindow(
  ledger: Ledger,
  windowMs: number,
  log: Pick<FastifyBaseLogger, 'warn' | 'info'>,
): Promise<void> {
  if (ledger.engine === 'embedded') {
    const { minMs } = await challengeWindowOn(ledger);
    if (windowMs >= minMs) return;
    await agreeOnWindow(ledger, windowMs);
    log.info({ windowMs, beforeMs: minMs }, 'the ledger’s least challenge window is set to the configured one');
    return;
  }
  // The network may be away; the market starts all the same.
  void tellMismatch(ledger, windowMs, log);
}

async function tellMismatch(ledger: Ledger, windowMs: number, log: Pick<FastifyBaseLogger, 'warn'>): Promise<void> {
  try {
    const { minMs, maxMs } = await challengeWindowOn(ledger);
    if (windowMs >= minMs && windowMs <= maxMs) return;
    log.warn({ windowMs, minMs, maxMs }, 'the organisations agreed on other challenge windows; theirs count');
  } catch (err) {
    log.warn({ err }, 'the ledger did not say which challenge windows it allows');
  }
}
