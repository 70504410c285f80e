export { severalDrivers } from './several-drivers.ts';
export { wasmDriver, type WasmDriverDeps } from './wasm/driver.ts';
export { pythonRunner } from './wasm/languages.ts';
export { startEngine, type Engine, type EngineOptions } from './docker/engine/engine.ts';
