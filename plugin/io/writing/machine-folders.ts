import { tmpdir } from 'node:os';
import { dirname, resolve, sep } from 'node:path';
import { packageFile } from '../../base/package-files.ts';

const SYSTEM =
  'bin dev etc lib lib64 nix opt proc run snap sys usr var Applications Library System private Windows'.split(
    ' ',
  );

const FOLDERS = [
  ...[...SYSTEM, 'Program Files'].map((name) => resolve(sep, name)),
  dirname(dirname(process.execPath)),
  packageFile(''),
];

/** Whether a file is part of the machine, not of what somebody studies: of the system, of Node, of this package, for the moment, or hidden like caches. */
export function isOfMachine(path: string): boolean {
  return (
    path.includes(`${sep}.`) ||
    [tmpdir(), ...FOLDERS].some((folder) => path.startsWith(resolve(folder) + sep))
  );
}
