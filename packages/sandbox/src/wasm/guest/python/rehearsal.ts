/**
 * A unit of our own that runs before the interpreter says that it is ready, so that V8 has compiled what most units
 * call first. The interpreter's memory and files are put back afterwards: no unit finds a trace of it.
 */

import { removeTree } from '../files.ts';
import { workFolder } from '../unit.ts';
import { evaluate, type Image, type Interpreter } from './interpreter.ts';
import { ordersOf, ordersPath } from './prelude.ts';

const script = `
import colorsys, json, math, random, re, sys
print('text', 1.5, [1, 2], {'a': (1, None)}, 7 // 2, 2 ** 200)
print(f'{3.14159:.3f} {"x":>10}', file=sys.stderr)
class Thing:
    def __init__(self, n): self.n = n
    def __repr__(self): return f'Thing({self.n!r})'
try:
    raise ValueError(Thing(3))
except ValueError as error:
    print(error)
with open('results/text', 'w') as file:
    file.write(str(sum(n * 2 for n in range(1000))))
with open('results/text') as file:
    json.loads(json.dumps({'a': [float(file.read()), None, True, 'x']}))
re.sub(r'(a+)(b*)', r'\\2', 'aabbaab' * 10).split('b')
math.sqrt(random.random() + random.gauss(0, 1) ** 2)
sorted(random.sample(range(100), 9), key=lambda n: -n)
raise SystemExit(0)
`;

/** Runs it and takes it back; throws where something of it would remain. */
export function rehearse(python: Interpreter, image: Image): void {
  const { FS } = python;
  const before = stateOf(python);
  const folder = '/assay';
  const text = new TextEncoder();
  FS.mkdirTree(folder);
  FS.mkdirTree(`${workFolder}/results`);
  FS.writeFile(`${workFolder}/rehearsal.py`, text.encode(script));
  const orders = { entryPoint: 'rehearsal.py', args: [], environment: {}, randomSeed: 1 };
  FS.writeFile(ordersPath, text.encode(ordersOf(orders)));
  evaluate(python, 'if _assay_run() != 0: raise SystemError');
  for (const path of [folder, `${workFolder}/results`]) removeTree(FS, path);
  FS.unlink(`${workFolder}/rehearsal.py`);
  FS.nextInode = before.nextInode;
  if (stateOf(python).text !== before.text) throw new Error('the rehearsal left a trace');
  image.lay(python.HEAPU8);
}

/** What does not lie in the interpreter's memory and could tell of a rehearsal. */
function stateOf(python: Interpreter): { readonly nextInode: number; readonly text: string } {
  const { FS } = python;
  const open = FS.streams.filter((stream) => stream).length;
  const state = [FS.nextInode, open, FS.cwd(), FS.readdir('/').join(), FS.readdir(workFolder).join()];
  return { nextInode: FS.nextInode, text: [...state, python.stackSave(), python.HEAPU8.length].join(' ') };
}
