import { afterAll, beforeAll } from 'vitest';
import { sandboxConformance } from '@assay/core/conformance';
import { driverKit, type DriverKit } from './driver.setup.ts';

let kit: DriverKit;
beforeAll(async () => {
  kit = await driverKit();
  await kit.driver.probe();
});
afterAll(() => kit.close());

sandboxConformance('wasm', () => kit);
