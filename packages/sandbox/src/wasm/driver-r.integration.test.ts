import { afterAll, beforeAll } from 'vitest';
import { rPrograms, sandboxConformance } from '@assay/core/conformance';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { rRunner } from './languages.ts';

let kit: DriverKit;
beforeAll(async () => {
  kit = await driverKit(rRunner);
  await kit.driver.probe();
});
afterAll(() => kit.close());

sandboxConformance('wasm with R', () => kit, rPrograms);
