import { attackSuite } from './attack-suite.setup.ts';
import { ownChildren } from './host-state.setup.ts';
import { inOpenWasi } from './open-wasi.setup.ts';
import { driverKit } from '../wasm/driver.setup.ts';
import { wasiRunner } from '../wasm/languages.ts';

attackSuite('wasm wasi', 'wasi', async () => ({
  ...(await driverKit(wasiRunner)),
  language: 'wasi',
  versions: {},
  residual: {},
  open: inOpenWasi,
  left: ownChildren,
}));
