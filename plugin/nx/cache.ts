import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Result } from '../base/diagnostics.ts';
import { sha256 } from '../base/digest.ts';
import { VERSION } from '../base/version.ts';
import type { ExperimentConfig } from '../config/config.ts';
import type { ImportedSpecifiers } from '../io/code/imports.ts';
import { writeWhole } from '../io/writing/write-whole.ts';

/** Another version may read a config in another way, and words its problems in another way. */
const FORMAT = `8/${VERSION}`;

/** Results of parsing that outlive the process, by content digest: an unchanged file is never parsed again. */
export class InferenceCache {
  readonly configs: UsedMap<Result<ExperimentConfig>>;
  readonly imports: UsedMap<ImportedSpecifiers>;

  /** The cache of a workspace, where Nx keeps what it computes of it. */
  static of(root: string): InferenceCache {
    return new InferenceCache(join(dataFolder(root), `nx-experiments-${sha256(root).slice(0, 16)}.json`));
  }

  constructor(private readonly path: string) {
    const stored = readStored(path);
    this.configs = new UsedMap(stored.configs);
    this.imports = new UsedMap(stored.imports);
  }

  /** Keeps what this process has used; a failure to write only costs time. */
  save(): void {
    if (!this.configs.changed && !this.imports.changed) return;
    const content = JSON.stringify({
      format: FORMAT,
      configs: this.configs.used(),
      imports: this.imports.used(),
    });
    try {
      writeWhole(this.path, content);
    } catch {
      return;
    }
    this.configs.changed = false;
    this.imports.changed = false;
  }
}

/** A map that knows which of its entries were asked for, so that the rest can be dropped. */
class UsedMap<T> extends Map<string, T> {
  changed = false;
  private readonly touched = new Set<string>();

  constructor(entries: readonly (readonly [string, T])[]) {
    super();
    for (const [key, value] of entries) super.set(key, value);
  }

  override get(key: string): T | undefined {
    this.touched.add(key);
    return super.get(key);
  }

  override set(key: string, value: T): this {
    this.touched.add(key);
    if (!this.has(key)) this.changed = true;
    return super.set(key, value);
  }

  used(): [string, T][] {
    return [...this].filter(([key]) => this.touched.has(key));
  }
}

type Entries<T> = readonly (readonly [string, T])[];

function readStored(path: string): {
  configs: Entries<Result<ExperimentConfig>>;
  imports: Entries<ImportedSpecifiers>;
} {
  try {
    const stored = JSON.parse(readFileSync(path, 'utf8'));
    if (stored.format === FORMAT) return stored;
  } catch {
    // absent or damaged: everything is parsed again
  }
  return { configs: [], imports: [] };
}

/** Where Nx keeps what it computes of a workspace. The devkit would say so too, and takes a fifth of a second to load. */
function dataFolder(root: string): string {
  const { NX_WORKSPACE_DATA_DIRECTORY, NX_PROJECT_GRAPH_CACHE_DIRECTORY } = process.env;
  return resolve(
    root,
    NX_WORKSPACE_DATA_DIRECTORY || NX_PROJECT_GRAPH_CACHE_DIRECTORY || '.nx/workspace-data',
  );
}
