import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';

/** Folders of the workspace whose packages are installed as they lie there, as by `uv sync` or `pip install -e`. It remembers. */
export class EditableInstallations {
  private readonly known = new Map<string, readonly string[]>();

  constructor(private readonly root: string) {}

  /**
   * @param places where an interpreter looks, absolute: those of installed packages are read
   * @returns absolute paths
   */
  folders(places: readonly string[]): string[] {
    const installed = places.filter((place) => /^(?:site|dist)-packages$/.test(basename(place)));
    return installed.flatMap((place) => {
      const found = this.known.get(place) ?? this.read(place);
      this.known.set(place, found);
      return found;
    });
  }

  /** Each line of a `.pth` file is a folder to look in as well, but for those that are code. */
  private read(place: string): string[] {
    const files = namesIn(place).filter((name) => name.endsWith('.pth'));
    const lines = files.flatMap((name) => linesOf(join(place, name)));
    return lines
      .map((line) => line.trim())
      .filter((line) => line !== '' && !/^(?:#|import\s)/.test(line))
      .map((line) => resolve(place, line))
      .filter((folder) => folder.startsWith(this.root + sep));
  }
}

/** Where the packages of a virtual environment lie. @param command its interpreter; what is found by its name has none here */
export function packagesBeside(command: string): string[] {
  if (!isAbsolute(command)) return [];
  const venv = dirname(dirname(command));
  const versions = namesIn(join(venv, 'lib')).map((name) => join(venv, 'lib', name, 'site-packages'));
  return [...versions, join(venv, 'Lib', 'site-packages')];
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
