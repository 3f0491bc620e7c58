import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Distribution {
  /** Normalized: lower case, with hyphens. */
  readonly name: string;
  readonly version: string;
  /** Absolute path of its `.dist-info`. */
  readonly info: string;
}

/** Versions of the packages that a Python has installed. One for a run: it remembers. */
export class PythonPackages {
  private readonly listed = new Map<string, ReadonlyMap<string, Distribution>>();
  private readonly owners = new Map<string, ReadonlyMap<string, readonly string[]>>();

  /**
   * @param places where the interpreter looks for packages, absolute, in that order
   * @param modules top-level names of imported modules
   * @returns versions by name, with all that these require; of what is not installed, nothing
   */
  versions(places: readonly string[], modules: readonly string[]): Record<string, string> {
    const installed = this.list(places);
    const found: Record<string, string> = {};
    const waiting = modules.flatMap((module) => this.ownersOf(places, installed, module));
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const distribution = installed.get(name);
      const key = `python:${name}`;
      if (distribution === undefined || Object.hasOwn(found, key)) continue;
      found[key] = distribution.version;
      waiting.push(...requirementsOf(distribution));
    }
    return found;
  }

  private list(places: readonly string[]): ReadonlyMap<string, Distribution> {
    const key = places.join('\0');
    const known = this.listed.get(key);
    if (known !== undefined) return known;
    const all = new Map<string, Distribution>();
    for (const place of places) {
      for (const entry of namesIn(place)) {
        const [, raw, version] = /^(.+?)-([^-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info$/.exec(entry) ?? [];
        if (raw === undefined || version === undefined) continue;
        const name = normalize(raw);
        // Whatever comes first in the search path is imported.
        if (!all.has(name)) all.set(name, { name, version, info: join(place, entry) });
      }
    }
    this.listed.set(key, all);
    return all;
  }

  /** The distributions that a module belongs to; many bear another name, and several may share one, such as `google`. */
  private ownersOf(
    places: readonly string[],
    installed: ReadonlyMap<string, Distribution>,
    module: string,
  ): readonly string[] {
    if (installed.has(normalize(module))) return [normalize(module)];
    const key = places.join('\0');
    const known = this.owners.get(key) ?? ownersIn(installed.values());
    this.owners.set(key, known);
    return known.get(module) ?? [];
  }
}

function ownersIn(distributions: Iterable<Distribution>): Map<string, readonly string[]> {
  const owners = new Map<string, readonly string[]>();
  for (const { name, info } of distributions) {
    const modules =
      read(join(info, 'top_level.txt')) ??
      read(join(info, 'RECORD'))?.replace(/^([^/,\n]+)[/,].*$/gm, (_, first: string) =>
        first.replace(/\.(?:py|[\w.-]*(?:so|pyd))$/, ''),
      ) ??
      '';
    for (const module of new Set(modules.split(/\r?\n/)))
      if (module !== '') owners.set(module, [...(owners.get(module) ?? []), name]);
  }
  return owners;
}

/** Names of what it needs, but for extras. */
function requirementsOf({ info }: Distribution): string[] {
  const metadata = read(join(info, 'METADATA')) ?? '';
  return [...metadata.matchAll(/^Requires-Dist:\s*([\w.-]+)([^\n]*)$/gm)]
    .filter(([, , rest = '']) => !/;.*\bextra\s*==/.test(rest))
    .map(([, name = '']) => normalize(name));
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
