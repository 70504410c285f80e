export { localDriver, openWorker, type LocalWorkerOptions } from './open-worker.ts';
export { readAudit, verifyAudit, type AuditLine, type ChainPoint } from '@assay/sandbox';
export { startWorker, type Worker, type WorkerOptions } from './start-worker.ts';
export { httpTransport, type HttpTransportOptions, type WorkCalls, type WorkTransport } from './transport.ts';
export { deviceKey, loadDeviceKey, type DeviceKey } from './device-key.ts';
export { type Lie } from './run-replica.ts';
