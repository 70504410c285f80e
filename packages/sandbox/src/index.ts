export { pythonRunner, wasmDriver, type WasmDriverDeps } from './wasm/driver.ts';
