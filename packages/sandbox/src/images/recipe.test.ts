import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dockerfileOf } from './dockerfile.ts';
import { readRecipe, recipeNames, recipesDir } from './recipe.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-recipes-'));
  cpSync(recipesDir, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function change(file: string, edit: (text: string) => string): void {
  const path = join(folder, file);
  writeFileSync(path, edit(readFileSync(path, 'utf8')));
}

describe('the recipes of this checkout', () => {
  test('are at least those that examples use', () => {
    expect(recipeNames()).toEqual(expect.arrayContaining(['gromacs', 'openfoam', 'python', 'pytorch', 'r']));
  });

  test.each(recipeNames())('%s is well formed, with the collector as its first process', (name) => {
    const recipe = readRecipe(name);
    expect(recipe.runner).toBe(`platform-runner:${name}`);
    expect(recipe.programs).toContain('shell');
    expect(recipe.files).toContainEqual(expect.objectContaining({ path: '/platform/shim', mode: 0o755 }));
    expect(recipe.keep).toContain('/usr/share/doc/*/copyright');
  });
});

describe('a recipe’s hash', () => {
  test('is the same wherever the checkout lies', () => {
    expect(readRecipe('r', folder).hash).toBe(readRecipe('r').hash);
  });

  test.each([
    ['a package', 'r.json', (text: string) => text.replace('r-base-core', 'r-base')],
    ['what is left out', 'common.json', (text: string) => text.replace('/usr/share/man/*', '/usr/share/men/*')],
    ['the last step', 'finish', (text: string) => `${text}\n`],
  ])('changes with %s, and so does that of the root folder', (_what, file, edit) => {
    const before = readRecipe('r', folder);
    change(file, edit);
    const after = readRecipe('r', folder);
    expect(after.hash).not.toBe(before.hash);
    expect(after.rootHash).not.toBe(before.rootHash);
  });

  test('changes with the collector and its mode, and the root folder stays', () => {
    const before = readRecipe('r', folder);
    change('shim/shim', (text) => `${text}\n`);
    const after = readRecipe('r', folder);
    chmodSync(join(folder, 'shim/shim'), 0o644);
    const last = readRecipe('r', folder);
    expect(new Set([before.hash, after.hash, last.hash]).size).toBe(3);
    expect(new Set([before.rootHash, after.rootHash, last.rootHash]).size).toBe(1);
  });

  test('is that of one image only', () => {
    const hashes = recipeNames().flatMap((name) => [readRecipe(name).hash, readRecipe(name).rootHash]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('a recipe is refused', () => {
  test.each([
    ['that is not there', 'tex', '', 'there is no image tex; there are gromacs'],
    ['whose name leaves the folder', '../images/r', '', 'there is no image'],
    ['of another name', 'common', '', 'there is no image common'],
    ['with an unknown key', 'r', '"summary"', 'r.json: sumary is not a known key; did you mean summary?'],
    ['with a package that is an option', 'r', '"r-base-core"', 'r.json: packages[0] must be the name'],
  ])('%s', (_what, name, cut, message) => {
    const put = cut === '"summary"' ? '"sumary"' : '"--option"';
    if (cut !== '') change('r.json', (text) => text.replace(cut, put));
    expect(() => readRecipe(name, folder)).toThrow(expect.objectContaining({ code: 'sandbox.refused' }));
    expect(() => readRecipe(name, folder)).toThrow(message);
  });

  test.each(['/usr/$(id)/*', '/usr/a b', 'usr/*', '/usr/*;reboot'])('with the glob %s', (glob) => {
    change('r.json', (text) => text.replace('{', `{ "remove": [${JSON.stringify(glob)}],`));
    expect(() => readRecipe('r', folder)).toThrow('remove[0] must be an absolute path');
  });

  test('that is not JSON', () => {
    change('r.json', () => '{');
    expect(() => readRecipe('r', folder)).toThrow('r.json is not JSON');
  });
});

test('the Dockerfile installs what the recipe names and ends as the image does', () => {
  const text = dockerfileOf(readRecipe('python'));
  expect(text).toContain("'path-exclude=/usr/share/man/*'");
  expect(text).toContain('python3 python3-numpy python3-pandas python3-scipy');
  expect(text).toContain('COPY --chmod=0755 shim/shim /platform/shim');
  expect(text).toMatch(/sh \/dev\/shm\/finish \/ .*\/pythran/);
  expect(text.trimEnd().split('\n').slice(-2)).toEqual(['USER 65534:65534', 'ENTRYPOINT ["/platform/shim"]']);
});
