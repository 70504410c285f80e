export { auditLog } from './audit/audit-log.ts';
export { audited } from './audit/audited.ts';
export { readAudit, verifyAudit } from './audit/verify-audit.ts';
export { type AuditLine, type ChainPoint } from './audit/audit-line.ts';
export { severalDrivers } from './several-drivers.ts';
export { wasmDriver, type WasmDriverDeps } from './wasm/driver.ts';
export { pythonRunner } from './wasm/languages.ts';
export { startEngine, type Engine, type EngineOptions } from './docker/engine/engine.ts';
