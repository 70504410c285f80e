export {
  providerRegistry,
  providersFromConfig,
  type ProviderRegistry,
  type RegionProvider,
  type StripeRegion,
} from './provider-registry.ts';
export { createStripeProvider, type StripeOptions } from './stripe-provider.ts';
export { type BankActs } from './simulator/bank-acts.ts';
export { type BankState } from './simulator/bank-books.ts';
export { type FaultScript, type WebhookFault, type WireFault } from './simulator/fault-script.ts';
export { startStripeSimulator, type SimulatorOptions, type StripeSimulator } from './simulator/stripe-simulator.ts';
export { signatureHeader, type WebhookSender } from './simulator/webhook-sender.ts';
