/** The paths of a bundle, checked as they come: safe everywhere, and no two that any file system would take for one. */

import { isSafePath, refuse } from '@assay/core';

/** A growing set of paths. */
export interface PathSet {
  /** Refuses `bundle.unsafe_path` or `bundle.duplicate_path`. */
  add(path: string, isFolder: boolean): void;
}

/** An empty set. */
export function pathSet(): PathSet {
  /** Each name and each folder above one, by its lower-case form. */
  const known = new Map<string, { readonly path: string; readonly isFolder: boolean; listed: boolean }>();
  const claim = (path: string, isFolder: boolean, listed: boolean): void => {
    const key = path.toLowerCase();
    const other = known.get(key);
    if (!other) {
      known.set(key, { path, isFolder, listed });
      return;
    }
    if (other.path !== path || !other.isFolder || !isFolder || (listed && other.listed)) {
      throw refuse('bundle.duplicate_path', 'two entries of the bundle would be one on some file systems', {
        path,
        other: other.path,
      });
    }
    other.listed ||= listed;
  };
  return {
    add(path, isFolder) {
      const name = isFolder ? path.slice(0, -1) : path;
      if (!isSafePath(name)) {
        throw refuse('bundle.unsafe_path', `the path ${JSON.stringify(path)} is not allowed`, { path });
      }
      for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
        claim(name.slice(0, slash), true, false);
      }
      claim(name, isFolder, true);
    },
  };
}
