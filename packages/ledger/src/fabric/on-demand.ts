/**
 * What speaks to a Fabric network, loaded when somebody does: its client is a sixth of a server's start, and most ledgers
 * are embedded.
 */

import type { LedgerReport } from '../verify-ledger.ts';
import type { GatewayBenchOptions } from './bench-gateway.ts';
import type { FabricLedger, FabricLedgerOptions } from './fabric-ledger.ts';
import type { VerifyFabricOptions } from './verify-fabric.ts';
import type { VoteOptions, VoteResult } from './vote.ts';

export async function openFabricLedger(options: FabricLedgerOptions): Promise<FabricLedger> {
  return (await import('./fabric-ledger.ts')).openFabricLedger(options);
}

export async function voteOnFabric(options: VoteOptions): Promise<VoteResult> {
  return (await import('./vote.ts')).voteOnFabric(options);
}

export async function verifyFabricLedger(options: VerifyFabricOptions): Promise<LedgerReport> {
  return (await import('./verify-fabric.ts')).verifyFabricLedger(options);
}

export async function benchGateway(options: GatewayBenchOptions): Promise<{ perSecond: number; failed: number }> {
  return (await import('./bench-gateway.ts')).benchGateway(options);
}
