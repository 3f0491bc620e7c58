import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { formatDiagnostic } from '../../plugin/build/base/diagnostics.js';
import { conditionsOf } from '../../plugin/build/graph/conditions.js';
import { readExperiments } from '../../plugin/build/io/discover.js';
import { Interpreters } from '../../plugin/build/io/python/interpreter.js';
import type { ConditionOutcome, RunEvent } from '../../plugin/build/runtime/events.js';
import { describeFailure } from '../../plugin/build/runtime/failures.js';
import { type ConditionManifest, parseManifest } from '../../plugin/build/runtime/manifest.js';
import {
  type ConditionRef,
  type PlanRef,
  planConditions,
  type RunOverrides,
  withUpstream,
} from '../../plugin/build/runtime/plan.js';
import { runPlan } from '../../plugin/build/runtime/run/runner.js';
import { shardsOf } from '../../plugin/build/runtime/shards.js';
import { FolderStore } from '../../plugin/build/store/folder-store.js';
import { workersOf } from '../../plugin/build/workers/create-worker.js';
import { WorkerPool } from '../../plugin/build/workers/pool/worker-pool.js';
import type { CreateWorker } from '../../plugin/build/workers/protocol.js';
import { isRunRecord } from './run-records.ts';

export interface RunSettings extends RunOverrides {
  /** `experiment/condition`; all conditions of all experiments when it is left out. */
  readonly only?: readonly string[];
  /** Run nothing but `only`, even when what it reads has not been run. */
  readonly alone?: boolean;
  /** Run every condition in this many shards, and put them together. */
  readonly shards?: number;
  /** Exactly these items, whatever `only`, `alone` and `shards` say. */
  readonly items?: readonly PlanRef[];
  readonly failFast?: boolean;
  /** Keep finished replicates in this folder, absolute or relative to the lab, and take them from there. */
  readonly store?: string;
  readonly strategy?: 'resume' | 'rerun';
  readonly signal?: AbortSignal;
  readonly createWorker?: CreateWorker;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface Ran {
  readonly events: readonly RunEvent[];
  readonly outcomes: readonly ConditionOutcome[];
  outcome(id: string): ConditionOutcome;
  /** One line for each failure of a condition: `3: step x threw …`, or `*: …` when none of its replicates could run. */
  failures(id: string): string[];
}

/** A folder of experiments on the disk, and the engine to run them with. */
export class Lab implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'lab-')));

  /** @param files text by path; what is no text becomes JSON */
  constructor(files: Readonly<Record<string, unknown>> = {}) {
    this.write(files);
  }

  write(files: Readonly<Record<string, unknown>>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Paths of the files below a folder, sorted, relative to it. */
  files(folder: string): string[] {
    const top = join(this.root, folder);
    return readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(top, join(entry.parentPath, entry.name)))
      .sort();
  }

  /** Bytes of every file of the results but those that tell of the run, by path. */
  snapshot(): Record<string, string> {
    const kept = this.files('.').filter((path) => path.includes('/results/') && !isRunRecord(path));
    return Object.fromEntries(kept.map((path) => [path, readFileSync(join(this.root, path), 'base64')]));
  }

  /** What metrics.json of `experiment/condition` says; each experiment lies in a folder of its name. */
  manifest(id: string): ConditionManifest {
    const manifest = parseManifest(this.read(id.replace('/', '/results/').concat('/metrics.json')));
    if (manifest === undefined) throw new Error(`${id} has a damaged metrics.json`);
    return manifest;
  }

  /** All values of one metric, in the order of the replicates. */
  metric(id: string, name: string): number[] {
    return this.manifest(id).replicates.flatMap(({ metrics }) => metrics[name] ?? []);
  }

  log(id: string): Record<string, unknown>[] {
    const text = this.read(id.replace('/', '/results/').concat('/run.jsonl'));
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  async run(settings: RunSettings = {}): Promise<Ran> {
    const {
      only,
      alone = false,
      signal,
      onEvent,
      createWorker,
      failFast = false,
      store,
      strategy,
      shards,
      items,
      ...overrides
    } = settings;
    const configs = this.files('.').filter((path) => /(^|\/)config\.ya?ml$/.test(path));
    const { graph, diagnostics, texts } = readExperiments(this.root, configs);
    if (diagnostics.length > 0)
      throw new Error(diagnostics.map((d) => formatDiagnostic(d, (file) => texts.get(file))).join('\n'));
    const all = graph.order.flatMap((experiment) =>
      conditionsOf(graph, experiment).map((condition) => ({ experiment, condition })),
    );
    const wanted = only?.map(conditionRef) ?? all;
    const refs = alone ? wanted : withUpstream(graph, wanted);
    const plan = planConditions(graph, items ?? inShards(refs, shards), overrides);
    const events: RunEvent[] = [];
    const workers = overrides.workers ?? 1;
    const pool = new WorkerPool(workers, createWorker ?? workersOf());
    try {
      const outcomes = await runPlan(plan, {
        root: this.root,
        pool,
        interpreters: new Interpreters(this.root, undefined),
        workers,
        signal: signal ?? new AbortController().signal,
        failFast,
        store: store === undefined ? undefined : new FolderStore(resolve(this.root, store), 2 ** 30),
        strategy: strategy ?? 'resume',
        onEvent: (event) => {
          events.push(event);
          onEvent?.(event);
        },
      });
      return ran(outcomes, events);
    } finally {
      await pool.close();
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A config.yaml, which may as well be JSON, with one datasource of the function `source`. */
export function config(settings: Record<string, unknown> = {}): Record<string, unknown> {
  return { datasource: { data: 'source' }, steps: ['step'], ...settings };
}

/** An experiment whose steps module is given, with a datasource that yields the number of the replicate. */
export function experiment(
  name: string,
  steps: string,
  settings: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    [`${name}/config.yaml`]: config(settings),
    [`${name}/datasources.ts`]: 'export const source = (ctx: { replicate: number }) => ctx.replicate;\n',
    [`${name}/steps.ts`]: steps,
  };
}

function inShards(refs: readonly ConditionRef[], n: number | undefined): readonly PlanRef[] {
  if (n === undefined) return refs;
  return refs.flatMap((ref) => [...shardsOf(n).map((shard) => ({ ...ref, shard })), { ...ref, merges: n }]);
}

function conditionRef(id: string): ConditionRef {
  const [experiment = '', condition = ''] = id.split('/');
  return { experiment, condition };
}

function ran(outcomes: readonly ConditionOutcome[], events: readonly RunEvent[]): Ran {
  const outcome = (id: string): ConditionOutcome => {
    const found = outcomes.find(({ planned }) => planned.id === id);
    if (found === undefined) throw new Error(`${id} was not planned`);
    return found;
  };
  return {
    events,
    outcomes,
    outcome,
    failures: (id) =>
      outcome(id).failures.map(
        ({ replicate, failure }) => `${replicate ?? '*'}: ${describeFailure(failure)}`,
      ),
  };
}
