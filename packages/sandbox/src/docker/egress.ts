/** The connections of a unit: none, or tunnels to the hosts that its manifest lists. */

import type { NetworkTarget } from '@assay/core';
import { FrameViolation } from '../capture/frames.ts';

export interface Egress {
  /** Takes a frame about tunnels; throws `FrameViolation`. */
  hear(kind: number, payload: Uint8Array): void;
  connections(): readonly (NetworkTarget & { readonly allowed: boolean; readonly bytes: number })[];
  close(): void;
}

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
