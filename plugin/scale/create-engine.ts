import type { Engine } from './engine.ts';
import { SlurmEngine } from './slurm.ts';
import type { EngineName } from './submission.ts';

export function createEngine(name: EngineName): Engine {
  switch (name) {
    case 'slurm':
      return new SlurmEngine();
  }
}
