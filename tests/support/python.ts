import { spawnSync } from 'node:child_process';

function hasNumpy(command: string): boolean {
  return spawnSync(command, ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0;
}

/** A Python that has NumPy; undefined where there is none. */
export const PYTHON_WITH_NUMPY = ['python3', '/usr/bin/python3'].find(hasNumpy);

/** For the names of tests that are left out. */
export const withoutNumpy =
  PYTHON_WITH_NUMPY === undefined ? ' (left out: neither python3 nor /usr/bin/python3 has numpy)' : undefined;
