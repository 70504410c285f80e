/** For tests that drive outside programs: skip with the reason, or fail where ASSAY_REQUIRE names the program. */

import { programSettings } from './config.ts';
import { lacking, type Need } from './programs.ts';

export interface Needed {
  /** For `describe.skipIf`. */
  readonly skip: boolean;
  /** What to append to the suite's name: which program is missing. */
  readonly why: string;
}

/** Whether this machine has all of `needs`; throws where one is missing that the run requires. */
export function needed(...needs: readonly Need[]): Needed {
  const { required } = programSettings();
  const absent = needs.flatMap((need) => {
    const reason = lacking(need);
    return reason === undefined ? [] : [{ need, reason }];
  });
  const demanded = absent.find(({ need }) => required.includes(need));
  if (demanded) throw new Error(`ASSAY_REQUIRE names ${demanded.need}, and this machine lacks it: ${demanded.reason}`);
  const why = absent.length === 0 ? '' : ` (skipped: ${absent.map(({ reason }) => reason).join('; ')})`;
  return { skip: absent.length > 0, why };
}
