import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/** Versions of installed packages, with all that they depend on. One instance for one run: it remembers. */
export class InstalledPackages {
  private readonly manifests = new Map<string, Manifest | undefined>();
  private readonly folders = new Map<string, string | undefined>();

  constructor(private readonly root: string) {}

  /**
   * @param files absolute paths of files inside of packages
   * @returns version by the package's folder, relative to the root
   */
  versions(files: readonly string[]): Record<string, string> {
    const found: Record<string, string> = {};
    const waiting = files.flatMap((file) => this.packageOf(file) ?? []);
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const place = relative(this.root, folder).split(sep).join('/');
      if (Object.hasOwn(found, place)) continue;
      const manifest = this.manifest(folder);
      if (manifest === undefined) continue;
      found[place] = manifest.version ?? '';
      const { dependencies, peerDependencies, optionalDependencies } = manifest;
      for (const name of Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })) {
        const installed = this.find(folder, name);
        if (installed !== undefined) waiting.push(installed);
      }
    }
    return found;
  }

  private packageOf(file: string): string | undefined {
    for (let at = dirname(file); at !== dirname(at); at = dirname(at)) {
      if (this.manifest(at)?.name !== undefined) return at;
    }
    return undefined;
  }

  /** As Node finds it: what a linked package depends on lies beside the package, not beside the link. */
  private find(from: string, name: string): string | undefined {
    for (let at = from; at !== dirname(at); at = dirname(at)) {
      const folder = this.folderOf(join(at, 'node_modules', name));
      if (folder !== undefined) return folder;
    }
    return undefined;
  }

  private folderOf(candidate: string): string | undefined {
    if (this.folders.has(candidate)) return this.folders.get(candidate);
    let folder: string | undefined;
    try {
      folder = dirname(realpathSync.native(join(candidate, 'package.json')));
    } catch {
      folder = undefined;
    }
    this.folders.set(candidate, folder);
    return folder;
  }

  private manifest(folder: string): Manifest | undefined {
    if (this.manifests.has(folder)) return this.manifests.get(folder);
    let manifest: Manifest | undefined;
    try {
      manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    } catch {
      manifest = undefined;
    }
    this.manifests.set(folder, manifest);
    return manifest;
  }
}
