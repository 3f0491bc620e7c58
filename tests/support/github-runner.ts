import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { parse } from 'yaml';
import { Workspace } from './workspace.ts';

type Json = Record<string, unknown>;

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Record<string, string>;
  readonly with?: Record<string, string | boolean>;
}

interface Job {
  readonly needs?: readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly outputs?: Record<string, string>;
  readonly strategy?: { readonly matrix: string };
  readonly steps?: readonly Step[];
}

/** What one machine did. */
export interface MachineRun {
  readonly result: 'success' | 'failure';
  /** What its scripts printed, by the name of the step. */
  readonly log: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly workspace: Workspace;
}

/** What became of one job of the workflow; several machines when it is a matrix. */
export interface JobRun {
  readonly result: 'success' | 'failure' | 'skipped';
  readonly machines: readonly MachineRun[];
}

const NPX = 'npx() { local name=$1; shift; "node_modules/.bin/$name" "$@"; }; export -f npx';

/**
 * Executes a GitHub workflow as GitHub does: every job on a machine of its own, a fresh clone with caches of its own, where
 * nothing arrives but what actions move. Scripts run in bash, expressions are evaluated by GitHub's own library.
 */
export class GithubRunner implements AsyncDisposable {
  private readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'github-')));
  private readonly machines: Workspace[] = [];
  private runs = 0;

  constructor(private readonly source: Workspace) {}

  /** @param base commit to compare with */
  async run(workflow: string, base: string): Promise<Record<string, JobRun>> {
    const run = ++this.runs;
    const finished: Record<string, JobRun> = {};
    const github = { ref_name: 'main', run_id: run, run_attempt: 1, event_name: 'push', repository: 'x/y' };
    const { jobs } = parse(await this.source.read(workflow)) as { jobs: Record<string, Job> };
    for (const [name, job] of Object.entries(jobs)) {
      const needs = Object.fromEntries(
        (job.needs ?? []).map((needed) => {
          const { result, machines } = finished[needed] as JobRun;
          return [needed, { result, outputs: machines[0]?.outputs ?? {} }];
        }),
      );
      const context = { github, needs, base, run: String(run) };
      const ok = Object.values(needs).every(({ result }) => result === 'success');
      if (!holds(job.if, context, ok)) finished[name] = { result: 'skipped', machines: [] };
      else finished[name] = jobRun(await this.machinesOf(job, context));
    }
    return finished;
  }

  private async machinesOf(job: Job, context: Json): Promise<MachineRun[]> {
    if (job.uses !== undefined) {
      const inputs = evaluateAll(job.with ?? {}, context);
      const called = parse(await this.source.read(job.uses.replace('./', ''))) as {
        jobs: Record<string, Job>;
      };
      const { github, base, run } = context;
      const all: MachineRun[] = [];
      for (const inner of Object.values(called.jobs))
        all.push(...(await this.machinesOf(inner, { github, base, run, inputs })));
      return all;
    }
    if (job.strategy === undefined) return [await this.machine(job, context)];
    const { include } = evaluate(job.strategy.matrix, context) as { include: Json[] };
    const all: MachineRun[] = [];
    for (const matrix of include) all.push(await this.machine(job, { ...context, matrix }));
    return all;
  }

  private async machine(job: Job, context: Json): Promise<MachineRun> {
    const workspace = await this.clone();
    const log: Record<string, string> = {};
    const steps: Record<string, { outputs: Record<string, string> }> = {};
    const env: Record<string, string> = evaluateAll(job.env ?? {}, context);
    let ok = true;
    for (const step of job.steps ?? []) {
      const here = { ...context, steps };
      if (!holds(step.if, here, ok)) continue;
      const given = evaluateAll(step.with ?? {}, here);
      let outputs: Record<string, string> = {};
      if (step.uses !== undefined) outputs = await this.action(step.uses, given, workspace, env, context);
      else {
        const script = String(evaluate(step.run ?? '', here));
        const done = await this.script(workspace, script, { ...env, ...evaluateAll(step.env ?? {}, here) });
        log[step.name ?? step.id ?? script] = done.output;
        outputs = done.outputs;
        if (done.code !== 0) ok = false;
      }
      if (step.id !== undefined) steps[step.id] = { outputs };
    }
    const outputs = evaluateAll(job.outputs ?? {}, { ...context, steps });
    return { result: ok ? 'success' : 'failure', log, outputs, workspace };
  }

  private async script(workspace: Workspace, script: string, env: Readonly<Record<string, string>>) {
    if (script === 'npm ci') return { code: 0, output: '', outputs: {} }; // its packages are linked
    const file = workspace.outside('output');
    const variables = { ...env, GITHUB_OUTPUT: file, GITHUB_STEP_SUMMARY: workspace.outside('summary') };
    const exports = Object.entries(variables).map(
      ([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
    );
    const { code, output } = await workspace.shell([...exports, NPX, 'set -eo pipefail', script].join('\n'));
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    await rm(file, { force: true });
    const outputs = lines.map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]);
    return { code, output, outputs: Object.fromEntries(outputs) };
  }

  /** What actions do between machines; those that need GitHub itself, or another Node, do nothing here. */
  private async action(
    uses: string,
    given: Readonly<Record<string, string>>,
    { root }: Workspace,
    env: Record<string, string>,
    context: Json,
  ): Promise<Record<string, string>> {
    const caches = join(this.folder, 'caches');
    const artifacts = join(this.folder, `artifacts-${context.run}`);
    for (const folder of [caches, artifacts]) mkdirSync(folder, { recursive: true });
    const path = join(root, given.path ?? '');
    switch (uses.split('@')[0]) {
      case 'nrwl/nx-set-shas': {
        const revisions = {
          base: String(context.base),
          head: (await this.source.git('rev-parse', 'HEAD')).trim(),
        };
        env.NX_BASE = revisions.base;
        env.NX_HEAD = revisions.head;
        return revisions;
      }
      case 'actions/cache/restore': {
        const prefixes = [given.key ?? '', ...(given['restore-keys'] ?? '').split('\n').filter(Boolean)];
        const newest = readdirSync(caches).sort().reverse();
        const found = prefixes.flatMap((prefix) => newest.find((key) => key.startsWith(prefix)) ?? [])[0];
        if (found === undefined) return {};
        cpSync(join(caches, found), path, { recursive: true, preserveTimestamps: true });
        return { 'cache-matched-key': found };
      }
      case 'actions/cache/save':
        if (existsSync(path)) cpSync(path, join(caches, given.key ?? ''), { recursive: true });
        return {};
      case 'actions/upload-artifact': {
        const hidden = given.path?.startsWith('.') && given['include-hidden-files'] !== 'true';
        if (existsSync(path) && !hidden) cpSync(path, join(artifacts, given.name ?? ''), { recursive: true });
        return {};
      }
      case 'actions/download-artifact': {
        const prefix = (given.pattern ?? '').replace('*', '');
        for (const name of readdirSync(artifacts).filter((artifact) => artifact.startsWith(prefix)))
          cpSync(join(artifacts, name), path, { recursive: true });
        return {};
      }
      default:
        return {};
    }
  }

  private async clone(): Promise<Workspace> {
    const top = realpathSync(mkdtempSync(join(tmpdir(), 'machine-')));
    const machine = new Workspace(top, {});
    this.machines.push(machine);
    await this.source.git('clone', '--quiet', this.source.root, machine.root);
    await machine.linkPackages();
    return machine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.machines) await machine[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function jobRun(machines: readonly MachineRun[]): JobRun {
  return { result: machines.every(({ result }) => result === 'success') ? 'success' : 'failure', machines };
}

/** Without a function of the status, a condition holds only when all before has succeeded. */
function holds(condition: string | undefined, context: Json, ok: boolean): boolean {
  if (condition === undefined) return ok;
  const expression = condition.replace(/^\$\{\{|\}\}$/g, '');
  const value = Boolean(resultOf(expression, context, ok));
  return /\b(always|cancelled|success|failure)\(/.test(expression) ? value : ok && value;
}

function evaluateAll(
  values: Readonly<Record<string, string | boolean | number>>,
  context: Json,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, String(evaluate(String(value), context) ?? '')]),
  );
}

/** A text that is one expression is what that yields; others have theirs replaced. */
function evaluate(text: string, context: Json): unknown {
  const [, only] = /^\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*$/.exec(text) ?? [];
  if (only !== undefined) return resultOf(only, context, true);
  return text.replaceAll(/\$\{\{(.*?)\}\}/g, (_, expression) =>
    String(resultOf(expression, context, true) ?? ''),
  );
}

const CONTEXTS = ['github', 'needs', 'steps', 'matrix', 'inputs', 'secrets'];

function resultOf(expression: string, context: Json, ok: boolean): unknown {
  const answers = { always: true, cancelled: false, success: ok, failure: !ok };
  const functions = Object.entries(answers).map(([name, answer]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(answer),
  }));
  const parsed = new Parser(new Lexer(expression.trim()).lex().tokens, CONTEXTS, functions).parse();
  const known = Object.fromEntries(CONTEXTS.map((name) => [name, context[name] ?? {}]));
  const dictionary: data.Dictionary = JSON.parse(JSON.stringify(known), data.reviver);
  const value = new Evaluator(parsed, dictionary, new Map(functions.map((f) => [f.name, f]))).evaluate();
  return JSON.parse(JSON.stringify(value, data.replacer));
}
