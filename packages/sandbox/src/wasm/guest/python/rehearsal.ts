/** What Python runs before it is ready, where it waits. */

import { removeTree } from '../files.ts';
import { leavingNoTrace } from '../rehearsal.ts';
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

/** Runs it and takes it back. */
export function rehearse(python: Interpreter, image: Image): void {
  const { FS } = python;
  const folder = '/assay';
  const text = new TextEncoder();
  const orders = { entryPoint: 'rehearsal.py', args: [], environment: {}, randomSeed: 1 };
  leavingNoTrace(python, () => {
    FS.mkdirTree(folder);
    FS.mkdirTree(`${workFolder}/results`);
    FS.writeFile(`${workFolder}/rehearsal.py`, text.encode(script));
    FS.writeFile(ordersPath, text.encode(ordersOf(orders)));
    evaluate(python, 'if _assay_run() != 0: raise SystemError');
    for (const path of [folder, `${workFolder}/results`]) removeTree(FS, path);
    FS.unlink(`${workFolder}/rehearsal.py`);
  });
  image.lay(python.HEAPU8);
}
