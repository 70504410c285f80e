import { afterAll, beforeAll } from 'vitest';
import { sandboxConformance } from '@assay/core/conformance';
import { wasiPrograms } from './conformance/wasi-programs.setup.ts';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { wasiRunner } from './languages.ts';

let kit: DriverKit;
beforeAll(async () => {
  kit = await driverKit(wasiRunner);
  await kit.driver.probe();
});
afterAll(() => kit.close());

sandboxConformance('wasm with WASI', () => kit, wasiPrograms);
