export { localDriver } from './local-driver.ts';
export { openWorker, type LocalWorkerOptions } from './open-worker.ts';
export { allowedImages, askEngine, readAudit, verifyAudit, type AuditLine, type ChainPoint } from '@assay/sandbox';
export { startWorker, type Worker, type WorkerOptions } from './start-worker.ts';
export { httpTransport, type HttpTransportOptions, type WorkCalls, type WorkTransport } from './transport.ts';
export { deviceKey, loadDeviceKey, type DeviceKey } from './device-key.ts';
export { type Lie } from './run-replica.ts';
export { endPause, readPause, writePause } from './owner/pause-file.ts';
export { holderOf } from './owner/folder-lock.ts';
export { readStatus } from './owner/status-file.ts';
export {
  apiKeyIn,
  readApiKey,
  readSettingsFile,
  readWorkerId,
  workerFolder,
  workerFolders,
  writeApiKey,
  writeSettingsFile,
} from './owner/worker-folder.ts';
export { type ServicePlan } from './service/service.ts';
export { hasDockerGroup, managerFault, servicePlan, serviceUser } from './service/service-plan.ts';
export { coresOfUnit, cpuScore } from './benchmark.ts';
export {
  optionalSettingFields,
  readSettings,
  settingFields,
  usualSettings,
  type SettingsFile,
  type WorkerSettings,
} from './owner/settings.ts';
export { readBattery, readCelsius, systemPaths } from './owner/readings.ts';
export { detectGpu } from './gpu.ts';
