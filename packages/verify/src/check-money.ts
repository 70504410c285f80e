/** The money adds up: each payee earned the fixed price for each agreed replica, the rest went back. */

import { moneyFromJson, type AccountId, type MoneyJson } from '@assay/core';
import { hold, type ReceiptContext } from './receipt-context.ts';

/** The summary of the money, against terms and verdicts that the ledger holds. */
export function checkMoney(context: ReceiptContext): void {
  const { state, money, ruling } = context.receipt;
  hold((money === null) === (state === 'verified'), 'a job is settled exactly when it is completed or refunded');
  if (money === null) return hold(ruling === null, 'a ruling settles a job');
  hold(state !== 'refunded' || ruling?.outcome === 'REFUNDED', 'only a ruling refunds a verified job');
  hold(state !== 'completed' || ruling?.outcome !== 'REFUNDED', 'the ruling was to refund');
  checkPayees(context, money);
}

function checkPayees({ receipt }: ReceiptContext, money: NonNullable<ReceiptContext['receipt']['money']>): void {
  const { terms, ruling } = receipt;
  const { currency } = terms.deposit;
  const minor = (amount: MoneyJson): bigint => {
    hold(amount.currency === currency, 'the currencies differ');
    return moneyFromJson(amount).minor;
  };
  const agreed = agreedByOwner(receipt);
  const price = minor(terms.perReplica);
  const earned = [...agreed.values()].reduce((sum, count) => sum + BigInt(count) * price, 0n);
  const refunded = ruling ? minor(ruling.refund) : 0n;
  hold(refunded <= earned, 'the ruling gives back more than was earned');
  hold(ruling?.outcome !== 'REFUNDED' || refunded === earned, 'the ruling keeps something back');
  const accounts = money.payees.map((payee) => payee.account);
  hold(accounts.join() === [...new Set(accounts)].toSorted().join(), 'the payees are not in order');
  let paid = 0n;
  for (const payee of money.payees) {
    const gross = minor(payee.gross);
    const most = BigInt(payee.replicas) * price;
    hold(payee.replicas === agreed.get(payee.account), `${payee.account} has another number of agreed replicas`);
    hold(ruling ? gross > 0n && gross <= most : gross === most, `${payee.account} earned something else`);
    hold(minor(payee.commission) + minor(payee.net) === gross, `commission and net of ${payee.account} do not add up`);
    paid += gross;
  }
  hold(ruling !== null || accounts.length === agreed.size, 'an account that earned is not listed');
  hold(paid === earned - refunded, 'the payees do not get what was earned less the refund');
  hold(minor(money.refunded) === minor(terms.deposit) - paid, 'deposit, earnings and refund do not add up');
}

function agreedByOwner(receipt: ReceiptContext['receipt']): Map<AccountId, number> {
  const owners = new Map(receipt.devices.map((device) => [device.worker, device.owner]));
  const agreed = new Map<AccountId, number>();
  for (const unit of receipt.units) {
    for (const replica of unit.replicas) {
      const owner = owners.get(replica.worker);
      if (owner === undefined || !unit.verdict.agreeing.includes(replica.replica)) continue;
      agreed.set(owner, (agreed.get(owner) ?? 0) + 1);
    }
  }
  return agreed;
}
