import { expect, test } from 'vitest';
import { imagesFor } from './demo-sandbox.ts';

test('the demo wants the images of its own jobs, and of each other runner that has a recipe', () => {
  const own = ['python', 'r', 'gromacs', 'pytorch', 'openfoam'];
  const recipes = [...own, 'lua', 'octave'];
  expect(imagesFor([], recipes)).toEqual(own);
  expect(imagesFor(['platform-runner:python', 'platform-runner:lua', 'platform-runner:wasi'], recipes)).toEqual([
    ...own,
    'lua',
  ]);
});
