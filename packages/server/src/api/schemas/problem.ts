/** Every refusal, as RFC 9457 writes it. */

import { Type, type Static } from 'typebox';
import { named } from './named.ts';

export const Problem = named(
  'Problem',
  Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      code: Type.String({
        pattern: '^[a-z_]+\\.[a-z_]+$',
        description: 'What clients match on: see the table of error codes.',
      }),
      details: Type.Object({}, { additionalProperties: true }),
      requestId: Type.String(),
    },
    { description: 'Why a request was refused (RFC 9457).' },
  ),
);
export type Problem = Static<typeof Problem>;
