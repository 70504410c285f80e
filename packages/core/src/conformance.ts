/** The suites that adapters run, and the in-memory adapters that tests use in their place. */

export { ledgerConformance, type LedgerHarness } from './ports/ledger.conformance.ts';
export { memoryObjectStore } from './ports/memory-object-store.ts';
export {
  memoryPaymentProvider,
  type MemoryPaymentOptions,
  type MemoryPaymentProvider,
} from './ports/memory-payment-provider.ts';
export { objectStoreConformance, type ObjectStoreHarness } from './ports/object-store.conformance.ts';
export { paymentProviderConformance, type PaymentProviderHarness } from './ports/payment-provider.conformance.ts';
export { pythonPrograms, rPrograms, type SandboxPrograms, type Task } from './ports/sandbox-programs.conformance.ts';
export {
  conformanceLimits,
  runPython,
  sandboxConformance,
  type Ran,
  type SandboxHarness,
  type UnitChanges,
} from './ports/sandbox.conformance.ts';
export { memorySandbox, type MemoryEnd, type MemoryUnit } from './ports/memory-sandbox.setup.ts';
