import sandbox from '../../package.json' with { type: 'json' };
import { attackSuite } from './attack-suite.setup.ts';
import { ownChildren } from './host-state.setup.ts';
import { inOpenR } from './open-r.setup.ts';
import { driverKit } from '../wasm/driver.setup.ts';
import { rRunner } from '../wasm/languages.ts';

attackSuite('wasm r', 'r', async () => ({
  ...(await driverKit(rRunner)),
  language: 'r',
  versions: { webr: sandbox.dependencies.webr },
  residual: {},
  open: inOpenR,
  left: ownChildren,
}));
