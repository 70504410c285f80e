export { processConfig, readConfig, settings, type Config, type Environment, type Setting } from './config.ts';
export { startServer, type Overrides, type RunningServer } from './compose.ts';
export { buildServer, type Server } from './server.ts';
export { type ServerDeps, type ServerSettings } from './server-deps.ts';
export { type Market } from './market-port.ts';
export { type ChangeHub } from './live/change-hub.ts';
export { hashToken, newToken } from './auth/token.ts';
export { openSignIn, type SignIn } from './auth/sign-in.ts';
export { hashPassword, type ScryptCost } from './auth/password.ts';
export { openApiDocument } from './api/openapi.ts';
export { openDemoMarket, type DemoMarket, type DemoOptions, type DemoPerson } from './demo-market.ts';
export { systemClock, systemIds } from './system-clock.ts';
export {
  deploymentFormats,
  joinNetwork,
  makeMaterial,
  networkStatus,
  orderings,
  startNetwork,
  stopNetwork,
  voteOnFabric,
  writeDeployment,
  type Deployment,
  type DeploymentFormat,
  type NetworkStatus,
  type Ordering,
} from '@assay/ledger';
export { inspectLedger, type LedgerInspection } from './inspect.ts';
