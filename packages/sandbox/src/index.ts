export { pythonRunner, wasmDriver, type WasmDriverDeps } from './wasm/driver.ts';
export { startEngine, type Engine, type EngineOptions } from './docker/engine/engine.ts';
