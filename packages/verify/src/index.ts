/** Checking receipts; the comparison of results itself lives in the core, where the market uses the same rules. */

export { receiptSchema } from './receipt-shape.ts';
export { portableCrypto, type ReceiptCrypto } from './receipt-crypto.ts';
export {
  receiptParts,
  verifyReceipt,
  type ReceiptPart,
  type ReceiptSummary,
  type ReceiptTrust,
  type ReceiptVerdict,
} from './verify-receipt.ts';
export {
  isProofText,
  verifyBlock,
  verifyProof,
  type BlockVerdict,
  type ProofSummary,
  type ProofVerdict,
} from './verify-proof.ts';
