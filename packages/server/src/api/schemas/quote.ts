/** What a job will cost at most, before anything is charged. */

import { Type, type Static } from 'typebox';
import { closed, named } from './named.ts';
import { count, money, sha256 } from './scalars.ts';

/** A manifest as the customer wrote it; core checks it and answers with `manifest.*` codes. */
export const manifest = Type.Object(
  {},
  { additionalProperties: true, description: 'A manifest (see its JSON Schema).' },
);

export const QuoteRequest = named('QuoteRequest', closed({ manifest }));

export const Quote = named(
  'Quote',
  Type.Object(
    {
      manifest,
      manifestHash: sha256,
      rateCard: Type.String({ description: 'The version of the rates.' }),
      units: count,
      redundancy: count,
      replicas: Type.Integer({ minimum: 0, description: 'Units × redundancy: what the cap pays for.' }),
      perReplica: money,
      cap: money,
      deposit: money,
      budget: money,
    },
    {
      description:
        'The cap is what the job costs at most; the deposit is what is charged: the cap, or the least that the payment provider takes.',
    },
  ),
);
export type Quote = Static<typeof Quote>;
