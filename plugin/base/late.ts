import { createRequire } from 'node:module';

/**
 * A CommonJS package, or a part of Node, that is loaded at its first use, in the middle of synchronous code: Nx and every
 * worker load this plugin's entry, and most of them never need it.
 */
export function late<Package>(name: string): () => Package {
  let loaded: Package | undefined;
  return () => {
    loaded ??= createRequire(import.meta.url)(name) as Package;
    return loaded;
  };
}
