/** Payments of customers and the journal's lines as people read them. */

import { Type, type Static } from 'typebox';
import { closed, named, nullable, oneOf, ref } from './named.ts';
import { id, instant, money, page } from './scalars.ts';

export const PayRequest = named(
  'PayRequest',
  closed({ method: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }),
);

export const Payment = named(
  'Payment',
  Type.Object({
    id: id('payment'),
    jobId: id('job'),
    state: oneOf(['pending', 'requires_action', 'succeeded', 'canceled', 'failed']),
    amount: money,
    provider: Type.String(),
    action: nullable(Type.String({ description: 'What a browser needs to finish the payment.' })),
    failure: nullable(Type.String()),
  }),
);

export const MoneyLine = named(
  'MoneyLine',
  Type.Object({
    at: instant,
    kind: Type.String(),
    text: Type.String(),
    from: Type.String(),
    to: Type.String(),
    amount: money,
    entryId: Type.String(),
  }),
);

export const MoneyPage = named('MoneyPage', page(ref(MoneyLine)));

export type Payment = Static<typeof Payment>;
export type MoneyLine = Static<typeof MoneyLine>;
