import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { LocalEngine } from './local.ts';
import { SlurmEngine } from './slurm.ts';
import type { EngineName } from './submission.ts';

/** @param root of the workspace */
export function createEngine(name: EngineName, root: string): Engine {
  switch (name) {
    case 'slurm':
      return new SlurmEngine();
    case 'local':
      return new LocalEngine(join(root, '.nx/experiments/local'));
  }
}
