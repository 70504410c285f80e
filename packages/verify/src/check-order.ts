/** What was ordered: the manifest with what follows from it, and the files of the bundle. */

import {
  budgetOf,
  canonicalJson,
  manifestFromCanonical,
  missingFiles,
  moneyFromJson,
  receiptComparator,
  unitCountOf,
  type Manifest,
  type Receipt,
} from '@assay/core';
import { hold, type ReceiptContext } from './receipt-context.ts';

/** The manifest that a receipt holds; refuses `manifest.*`. */
export function manifestOf(receipt: Receipt): Manifest {
  return manifestFromCanonical(receipt.manifest);
}

/** The comparator is the one that the manifest asks for. */
export function checkComparator({ receipt, manifest }: ReceiptContext): void {
  const expected = canonicalJson({ ...receiptComparator(manifest) });
  hold(canonicalJson({ ...receipt.comparator }) === expected, `the manifest asks for ${expected}`);
}

/** The bundle lists each file once and has those that the manifest names. */
export function checkBundle({ receipt, manifest }: ReceiptContext): void {
  hold(new Set(receipt.bundle.map((file) => file.path)).size === receipt.bundle.length, 'a path is listed twice');
  const [missing] = missingFiles(manifest, receipt.bundle);
  hold(missing === undefined, `${missing?.path} ${missing?.message}`);
}

/** The terms follow from the manifest and stay within its budget. */
export function checkTerms({ receipt, manifest }: ReceiptContext): void {
  const { terms } = receipt;
  const [perReplica, cap, deposit] = [terms.perReplica, terms.cap, terms.deposit].map(moneyFromJson);
  const budget = budgetOf(manifest);
  hold(perReplica !== undefined && cap !== undefined && deposit !== undefined, 'an amount is missing');
  for (const amount of [perReplica, cap, deposit]) hold(amount.currency === budget.currency, 'the currencies differ');
  hold(terms.redundancy === manifest.verification.redundancy, 'the redundancy is not that of the manifest');
  hold(terms.units === unitCountOf(manifest), 'the number of units is not that of the manifest');
  hold(cap.minor === perReplica.minor * BigInt(terms.redundancy * terms.units), 'the cap is not price × replicas');
  hold(deposit.minor >= cap.minor && deposit.minor <= budget.minor, 'the deposit is below the cap or above the budget');
}
