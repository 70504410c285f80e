/** Whether this server lives and can work. */

import { Type, type Static } from 'typebox';
import { named, oneOf, ref } from './named.ts';
import { count } from './scalars.ts';

export const Health = named(
  'Health',
  Type.Object({
    status: oneOf(['ok']),
    version: Type.String(),
    uptimeMs: count,
    payments: oneOf(['sandbox', 'live'], 'Whether payments move real money: live ones do.'),
  }),
);

export const Check = named('Check', Type.Object({ name: Type.String(), ok: Type.Boolean(), text: Type.String() }));

export const Ready = named('Ready', Type.Object({ ready: Type.Boolean(), checks: Type.Array(ref(Check)) }));

export type Health = Static<typeof Health>;
export type Ready = Static<typeof Ready>;
