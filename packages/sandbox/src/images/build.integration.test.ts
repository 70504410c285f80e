import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askEngine } from '../docker/engine/api.ts';
import { startEngine } from '../docker/engine/engine.ts';
import { mountsBelow } from '../docker/engine/leftovers.ts';
import { processesWith } from '../docker/engine/processes.ts';
import { needed } from '../docker/engine/programs.setup.ts';
import { readAllowlist } from './allowlist.ts';
import { buildImage } from './build.ts';
import { loadImage } from './load.ts';
import { builtImage, thisArchitecture } from './record.ts';
import { readRecipe, recipesDir, type Recipe } from './recipe.ts';

const { skip, why } = needed('mmdebstrap');
const minutes = 60_000;

/** The smallest image that there is: Debian's essential packages and one more, which brings a setuid program. */
function smallestRecipe(recipes: string): Recipe {
  cpSync(recipesDir, recipes, { recursive: true });
  const own = { summary: 'for tests', programs: ['shell'], packages: ['sudo'], remove: ['/usr/share/zone*'] };
  writeFileSync(join(recipes, 'smallest.json'), JSON.stringify(own));
  return readRecipe('smallest', recipes);
}

describe.skipIf(skip)(`building an image${why}`, () => {
  let folder: string;
  let recipe: Recipe;
  const imagesDir = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'assay-images-'));
    chmodSync(folder, 0o711);
    recipe = smallestRecipe(join(folder, 'recipes'));
    mkdirSync(join(imagesDir('one'), `smallest-${'0'.repeat(16)}-${thisArchitecture()}`), { recursive: true });
    await buildImage(recipe, { imagesDir: imagesDir('one') });
  }, 10 * minutes);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const files = (): string[] => {
    const path = builtImage(imagesDir('one'), recipe)?.root.path ?? '';
    return execFileSync('tar', ['--numeric-owner', '--xattrs', '--xattrs-include=*', '-tvvf', path], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
      .trim()
      .split('\n');
  };

  test('gives the same bytes from the same packages, and so the same digest', { timeout: 10 * minutes }, async () => {
    const one = builtImage(imagesDir('one'), recipe);
    const two = await buildImage(recipe, { imagesDir: imagesDir('two') });
    expect(two.packages).toEqual(one?.packages);
    expect({ image: two.image, layer: two.root.layer }).toEqual({ image: one?.image, layer: one?.root.layer });
  });

  test('is not done twice', async () => {
    const steps: string[] = [];
    const record = builtImage(imagesDir('one'), recipe);
    const before = statSync(record?.root.path ?? '').mtimeMs;
    const again = await buildImage(recipe, { imagesDir: imagesDir('one'), progress: (step) => steps.push(step) });
    expect(again).toEqual(record);
    expect(steps).toEqual([]);
    expect(statSync(again.root.path).mtimeMs).toBe(before);
  });

  test('allows the image by its digest, and keeps nothing else', () => {
    const record = builtImage(imagesDir('one'), recipe);
    expect(readAllowlist(imagesDir('one'))).toEqual([
      {
        runner: 'platform-runner:smallest',
        architecture: record?.architecture,
        image: record?.image,
        recipe: recipe.hash,
        programs: ['shell'],
      },
    ]);
    expect(readdirSync(join(imagesDir('one'), 'work'))).toEqual([]);
    const built = `smallest-${recipe.rootHash.slice(0, 16)}-${thisArchitecture()}`;
    expect(readdirSync(imagesDir('one')).toSorted()).toEqual(['allowlist.json', built, 'work']);
    expect(record?.packages).toContainEqual({ name: 'perl-base', version: expect.stringMatching(/^5\./) });
  });

  test('leaves no program in it that raises rights, and no trace of this machine', () => {
    const lines = files();
    const paths = new Map(
      lines.map((line) => [line.replace(/^(\S+\s+){5}/, '').replace(/ (?:->|link to) .*/, ''), line]),
    );
    expect(paths.has('./usr/bin/perl')).toBe(true);
    expect(lines.filter((line) => /^-\S*[sS]/.test(line) || /^d\S*[sS]/.test(line))).toEqual([]);
    expect(lines.filter((line) => /^[bcp]/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.includes('security.capability'))).toEqual([]);
    for (const name of [
      'su',
      'mount',
      'umount',
      'passwd',
      'newgrp',
      'chsh',
      'chfn',
      'gpasswd',
      'sudo',
      'apt',
      'unshare',
    ]) {
      expect([...paths.keys()].filter((path) => path.endsWith(`bin/${name}`))).toEqual([]);
    }
    for (const gone of ['./etc/machine-id', './usr/share/man/man1/', './var/log/dpkg.log', './usr/share/zoneinfo/']) {
      expect(paths.has(gone)).toBe(false);
    }
    expect(paths.get('./etc/hostname')).toMatch(/^-rw-r--r--\s+0\/0\s+0 /);
    expect(paths.get('./etc/resolv.conf')).toMatch(/^-rw-r--r--\s+0\/0\s+0 /);
    expect([...paths.keys()].filter((path) => /^\.\/(?:var\/cache|tmp|run|root)\/./.test(path))).toEqual([]);
  });

  test('says what went wrong, and leaves nothing', { timeout: 5 * minutes }, async () => {
    const recipes = join(folder, 'recipes');
    const own = { summary: 'for tests', programs: ['shell'], packages: ['no-such-package-anywhere'] };
    writeFileSync(join(recipes, 'broken.json'), JSON.stringify(own));
    const broken = readRecipe('broken', recipes);
    await expect(buildImage(broken, { imagesDir: imagesDir('three') })).rejects.toThrow('no-such-package-anywhere');
    expect(readdirSync(imagesDir('three'))).toEqual(['work']);
    expect(readdirSync(join(imagesDir('three'), 'work'))).toEqual([]);
  });

  test('removes what a build left behind that was killed in its midst', { timeout: 5 * minutes }, async () => {
    const dir = imagesDir('four');
    const program = fileURLToPath(new URL('image-builder.setup.ts', import.meta.url));
    const builder = spawn(process.execPath, [program, join(folder, 'recipes'), 'smallest', dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: builder.stdout })) {
      if (line.startsWith('setting the base system up')) break;
    }
    const [name = ''] = readdirSync(join(dir, 'work'));
    const work = join(dir, 'work', name);
    expect(processesWith('ASSAY_WORK', work).length).toBeGreaterThan(1);
    builder.kill('SIGKILL');
    await once(builder, 'exit');
    expect(existsSync(work)).toBe(true);

    const stop = AbortSignal.abort();
    await expect(buildImage(recipe, { imagesDir: dir, stop })).rejects.toThrow('abort');
    expect(readdirSync(join(dir, 'work'))).toEqual([]);
    expect(processesWith('ASSAY_WORK', work)).toEqual([]);
    expect(mountsBelow(folder)).toEqual([]);
  });

  const engineNeeds = needed('docker');
  test.skipIf(engineNeeds.skip)(
    `loads into an engine under its digest${engineNeeds.why}`,
    { timeout: minutes },
    async () => {
      const engineFolder = join(folder, 'engine');
      mkdirSync(engineFolder);
      const engine = await startEngine({ folder: engineFolder, runsc: 'none' });
      try {
        await expect(loadImage(recipe, imagesDir('none'), engine.socketPath)).rejects.toMatchObject({
          code: 'sandbox.unavailable',
          message: expect.stringContaining('./assay images build smallest'),
        });
        const record = builtImage(imagesDir('one'), recipe);
        expect(await loadImage(recipe, imagesDir('one'), engine.socketPath)).toBe(record?.image);
        const shim = join(folder, 'recipes', 'shim', 'shim');
        const text = readFileSync(shim);
        appendFileSync(shim, '\n');
        const newer = readRecipe('smallest', join(folder, 'recipes'));
        expect(await loadImage(newer, imagesDir('one'), engine.socketPath)).not.toBe(record?.image);
        const replaced = await askEngine(engine.socketPath, 'GET', `/images/${record?.image}/json`);
        expect(replaced.status).toBe(404);
        writeFileSync(shim, text);
        expect(await loadImage(recipe, imagesDir('one'), engine.socketPath)).toBe(record?.image);
        rmSync(record?.root.path ?? '');
        // It is there, so nothing is read.
        expect(await loadImage(recipe, imagesDir('one'), engine.socketPath)).toBe(record?.image);
        const { body } = await askEngine(engine.socketPath, 'GET', `/images/${record?.image}/json`);
        expect(JSON.parse(body)).toMatchObject({
          RepoTags: ['platform-runner:smallest'],
          Created: new Date(recipe.epochSeconds * 1000).toISOString().replace('.000', ''),
          Config: { User: '65534:65534', Entrypoint: ['/platform/shim'], Volumes: null, WorkingDir: '' },
        });
      } finally {
        await engine.stop();
      }
    },
  );
});
