/**
 * What an organisation checks before it endorses, beyond what contracts may look at. A contract must not read a clock,
 * since endorsers would disagree; refusing to endorse at all is no result that could differ. So no proposal whose time
 * stamp is far from the clocks of the endorsing organisations gets their signatures, whatever its client's clock says,
 * and with it no release before the challenge window is over.
 */

import { limits, type Clock } from '@assay/core';
import type { ChaincodeResponse, ChaincodeStub } from 'fabric-shim-api';

export interface Endorser {
  Invoke(stub: ChaincodeStub): Promise<ChaincodeResponse>;
}

/** `endorser` behind the organisation's own clock. */
export function witnessed(endorser: Endorser, clock: Clock): Endorser {
  return {
    async Invoke(stub) {
      const claimedMs = claimedMsOf(stub);
      if (claimedMs === undefined) return refusal('request.malformed: the proposal bears no time stamp');
      if (Math.abs(claimedMs - clock.nowMs()) > limits.fabricClockSkewMs) {
        // Too early passes with time, and a clock can be set right: the outbox tries again.
        return refusal('escrow.window_open: the proposal’s time stamp is not that of this organisation’s clock');
      }
      return endorser.Invoke(stub);
    },
  };
}

/** Undefined where there is none: the shim's stub throws then, which would end the server for everybody. */
function claimedMsOf(stub: ChaincodeStub): number | undefined {
  try {
    const { seconds, nanos } = stub.getTxTimestamp();
    return Number(seconds.toString()) * 1000 + Math.trunc(nanos / 1_000_000);
  } catch {
    return undefined;
  }
}

function refusal(message: string): ChaincodeResponse {
  return { status: 500, message, payload: new Uint8Array(0) };
}
