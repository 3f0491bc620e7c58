import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { experimentOf, type Graph } from '../../graph/graph.ts';
import { manifestPath } from '../../io/writing/condition-folder.ts';
import { type ConditionManifest, parseManifest } from '../manifest.ts';
import { type ConditionRef, conditionId, RESULTS } from '../plan.ts';

/** What lies in place of a condition. */
export interface ConditionResults {
  /** Absolute path of metrics.json. */
  readonly path: string;
  /** Of metrics.json; undefined when it cannot be read. */
  readonly digest: string | undefined;
  /** Undefined when it cannot be read, or is damaged. */
  readonly manifest: ConditionManifest | undefined;
}

/** Reads what conditions left, once each: one for a run, which puts each condition in place once, before anybody asks. */
export class ResultsReader {
  private readonly known = new Map<string, ConditionResults>();

  constructor(
    private readonly root: string,
    private readonly graph: Graph,
  ) {}

  of(ref: ConditionRef): ConditionResults {
    const id = conditionId(ref);
    const found = this.known.get(id) ?? this.read(ref);
    this.known.set(id, found);
    return found;
  }

  private read({ experiment, condition }: ConditionRef): ConditionResults {
    const { folder } = experimentOf(this.graph, experiment).config;
    const path = manifestPath(join(this.root, folder, RESULTS), condition);
    try {
      const text = readFileSync(path, 'utf8');
      return { path, digest: sha256(text), manifest: parseManifest(text) };
    } catch {
      return { path, digest: undefined, manifest: undefined };
    }
  }
}
