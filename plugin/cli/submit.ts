import { MAX_SHARDS, suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import { openStore } from '../nx/store-options.ts';
import { conditionId, isInline, planConditions } from '../runtime/plan.ts';
import { type ConditionPreview, previewPlan } from '../runtime/run/preview.ts';
import { createEngine } from '../scale/create-engine.ts';
import { divide } from '../scale/divide.ts';
import { type Engine, type Resources, WHOLE } from '../scale/engine.ts';
import { type ConditionProgress, isActive, observe } from '../scale/progress.ts';
import { removeOldSubmissions } from '../scale/remove-old.ts';
import { splitWords } from '../scale/shell-words.ts';
import { checkExtra } from '../scale/slurm.ts';
import {
  type EarlierCondition,
  ENGINES,
  type EngineName,
  isHandedOver,
  type Submission,
} from '../scale/submission.ts';
import { SubmissionFolder, submissionIds, submissionsFolder } from '../scale/submissions-folder.ts';
import { jobsOf, type Part, submitParts } from '../scale/submit.ts';
import { lockSubmissions } from '../scale/submit-lock.ts';
import { conditionKey } from '../store/components.ts';
import { type Arguments, type Command, textOf, toJson } from './command.ts';
import { choicesOf } from './run-choices.ts';
import { earlierSubmissions, type Running, renderSubmitted } from './submission-text.ts';
import { readGraph, selectConditions } from './workspace.ts';

const STOPPED = 130;

/** `nx-experiments submit`: what is missing, as jobs of a cluster. */
export const run: Command['run'] = async ({ cwd, names, options, json }, print) => {
  const name = engineName(textOf(options.engine));
  const resources = resourcesOf(options);
  if (name === 'local') refuseClusterOptions(options);
  const asked = shardsOf(options);
  const choices = choicesOf(options);
  const { root, store, graph, interpreters } = readGraph(cwd);
  if (store.folder === undefined) {
    throw new SettingsError(
      'The run store is off (NX_EXPERIMENTS_STORE, or "store" in nx.json): jobs hand over what they have finished by it.',
    );
  }
  for (const given of names) refuseModule(given);
  const { treatments, ...overrides } = choices;
  const plan = planConditions(graph, selectConditions(graph, names, treatments), overrides);
  const inline = plan.find(isInline);
  if (inline !== undefined) {
    throw new SettingsError(
      `${inline.experiment} is defined in code: only the process that defines it can run it.`,
    );
  }
  const previews = await previewPlan(plan, root, openStore(store), resources.cpus, interpreters);
  const engine = createEngine(name, root);
  const head = {
    engine: name,
    experiments: names.length > 0 ? names : graph.order,
    choices,
    resources,
    shards: asked,
    store: store.folder,
  };
  if (options['dry-run'] === true) {
    const parts = partsOf(previews, new Map(), asked, resources.cpus);
    print(
      json
        ? toJson(describeParts(parts, engine, root, resources))
        : renderDry(parts, engine, root, resources),
    );
    return 0;
  }
  const signal = interrupted();
  const unlock = lockSubmissions(submissionsFolder(root));
  try {
    const running = await runningJobs(root, previews, name);
    const parts = partsOf(previews, running.jobs, asked, resources.cpus);
    const kept = previews.filter(({ status }) => status === 'cached').length;
    const submission =
      parts.length > 0
        ? await submitParts(
            parts,
            running.jobs,
            { engine, root, signal },
            { ...head, earlier: running.conditions },
          )
        : undefined;
    if (json) print(toJson(dataOf(submission, kept, earlierSubmissions(running))));
    else print(renderSubmitted(submission, parts, kept, running));
    await removeOldSubmissions(root);
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    return STOPPED;
  } finally {
    unlock();
  }
};

function partsOf(
  previews: readonly ConditionPreview[],
  running: ReadonlyMap<string, string>,
  asked: number | undefined,
  cpus: number,
): Part[] {
  return previews
    .filter(({ planned, status }) => status !== 'cached' && !running.has(planned.id))
    .map((preview): Part => ({ ...divide(preview, asked, cpus), components: componentsOf(preview) }));
}

/**
 * What was handed over is taken back at the first Ctrl-C, or when the terminal is gone, however long that takes; the second
 * one ends this process.
 */
function interrupted(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

/**
 * What earlier submissions still run of what is to be submitted to an engine.
 *
 * @throws SettingsError when one of them runs something else by now, or on another engine, or does not come to an end that can be waited for
 */
async function runningJobs(
  root: string,
  previews: readonly ConditionPreview[],
  engine: EngineName,
): Promise<Running> {
  const jobs = new Map<string, string>();
  const conditions: EarlierCondition[] = [];
  const wanted = new Map(
    previews.filter(({ status }) => status !== 'cached').map((preview) => [preview.planned.id, preview]),
  );
  for (const id of submissionIds(root)) {
    const folder = new SubmissionFolder(root, id);
    const submission = await folder.read();
    for (const condition of await stillRunning(folder, submission, wanted, engine)) {
      const preview = wanted.get(conditionId(condition));
      const submitted = submission.conditions.find((one) => conditionId(one) === conditionId(condition));
      const last = condition.elements.at(-1);
      if (preview === undefined || submitted === undefined || last === undefined) continue;
      const { planned } = preview;
      const first = `First: nx-experiments cancel ${id}`;
      const same =
        submitted.key === conditionKey(componentsOf(preview)) &&
        submitted.seed === planned.seed &&
        submitted.replicates === planned.replicates;
      if (!same) {
        throw new SettingsError(
          `Submission ${id} still runs ${planned.id} as it was before it changed. ${first}`,
        );
      }
      if (submission.engine !== engine) {
        throw new SettingsError(
          `Submission ${id} still runs ${planned.id} on the engine ${submission.engine}, for which jobs of the engine ${engine} cannot wait. ${first}, or wait until it has ended.`,
        );
      }
      if (!isHandedOver(submitted)) {
        throw new SettingsError(
          `Submission ${id} was stopped before it had handed over the job that puts ${planned.id} together. ${first}, or wait until its jobs have ended.`,
        );
      }
      const lost = condition.elements.find(({ state }) => !isActive(state) && state !== 'succeeded');
      if (lost !== undefined) {
        const part = lost.element === WHOLE ? `job ${lost.job}` : `element ${lost.element}`;
        throw new SettingsError(
          `Submission ${id} does not complete ${planned.id} any more (${part}: ${lost.state}), and what it has begun still runs. ${first}, or wait until its jobs have ended.`,
        );
      }
      jobs.set(planned.id, last.job);
      conditions.push({ submission: id, experiment: planned.experiment, condition: planned.condition });
    }
  }
  return { jobs, conditions };
}

/** The wanted conditions that a submission has not ended. The engine of another kind is asked only when it has to be. */
async function stillRunning(
  folder: SubmissionFolder,
  submission: Submission,
  wanted: ReadonlyMap<string, unknown>,
  engine: EngineName,
): Promise<ConditionProgress[]> {
  if (!submission.conditions.some((condition) => wanted.has(conditionId(condition)))) return [];
  const activeOf = (progress: readonly ConditionProgress[]): ConditionProgress[] =>
    progress.filter((condition) => isActive(condition.state) && wanted.has(conditionId(condition)));
  const foreign = submission.engine !== engine;
  if (foreign && activeOf(await observe(folder, submission, undefined)).length === 0) return [];
  try {
    return activeOf(await observe(folder, submission, createEngine(submission.engine, folder.root)));
  } catch (error) {
    if (!foreign || !(error instanceof SettingsError)) throw error;
    throw new SettingsError(
      `${error.message}\nSubmission ${submission.id} to ${submission.engine} may still run what is wanted here. First: nx-experiments cancel ${submission.id}, where that engine answers. If its jobs have ended, remove ${folder.path}.`,
    );
  }
}

function componentsOf({ planned, components, reasons }: ConditionPreview): Part['components'] {
  if (components !== undefined) return components;
  throw new SettingsError(`${planned.id}: ${reasons.join(', ')}`);
}

function describeParts(parts: readonly Part[], engine: Engine, root: string, resources: Resources) {
  const folder = new SubmissionFolder(root, 'DRY-RUN');
  const last = new Map<string, string>();
  return parts.flatMap((part) => {
    const { experiment, condition } = part.planned;
    const jobs = jobsOf(part, last, folder, resources).map((job, i, all) => {
      const id = `<${part.planned.id}${i < all.length - 1 ? ' elements' : ''}>`;
      const after = i > 0 ? [`<${part.planned.id} elements>`] : job.after;
      return {
        id,
        experiment,
        condition,
        elements: job.elements ?? null,
        after,
        text: engine.describe({ ...job, after }),
      };
    });
    last.set(part.planned.id, `<${part.planned.id}>`);
    return jobs;
  });
}

function renderDry(parts: readonly Part[], engine: Engine, root: string, resources: Resources): string {
  const jobs = describeParts(parts, engine, root, resources);
  if (jobs.length === 0) return 'Nothing to submit: all results lie in place.\n';
  return `${jobs.map(({ id, text }) => `# ${id}\n${text}`).join('\n')}\n# ${jobs.length} jobs; nothing was submitted.\n`;
}

function dataOf(submission: Submission | undefined, cached: number, runningIn: readonly string[]) {
  const conditions = submission?.conditions.map(({ experiment, condition, replicates, shards, jobs }) => ({
    experiment,
    condition,
    replicates,
    shards,
    jobs: jobs.map(({ id, elements, after }) => ({ id, elements: elements ?? null, after })),
  }));
  return { submission: submission?.id ?? null, cached, runningIn, conditions: conditions ?? [] };
}

function engineName(given: string | undefined): EngineName {
  const found = ENGINES.find((name) => name === given);
  if (found !== undefined) return found;
  if (given === undefined)
    throw new SettingsError(`"submit" needs an engine: --engine ${ENGINES.join(' or --engine ')}.`);
  throw new SettingsError(`Unknown engine "${given}". ${suggestion(given, ENGINES, 'engines')}`);
}

function resourcesOf(options: Arguments['options']): Resources {
  const lines = Array.isArray(options.sbatch) ? options.sbatch.map(String) : [];
  const extra = lines.flatMap((line) => {
    const words = splitWords(line);
    if (words === undefined) throw new SettingsError(`--sbatch=${line}: a quote is not closed.`);
    return words;
  });
  return {
    partition: textOf(options.partition),
    time: textOf(options.time),
    memory: textOf(options.mem),
    cpus: countOf('--cpus', textOf(options.cpus), 1024) ?? 1,
    account: textOf(options.account),
    extra: checkExtra(extra),
  };
}

function shardsOf(options: Arguments['options']): number | undefined {
  const shards = countOf('--shards', textOf(options.shards), MAX_SHARDS);
  return shards ?? countOf('--array-size', textOf(options['array-size']), MAX_SHARDS);
}

function countOf(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= most) return count;
  throw new SettingsError(`"${option} ${text}" must be a whole number from 1 to ${most}.`);
}

function refuseClusterOptions(options: Arguments['options']): void {
  const given = ['partition', 'time', 'mem', 'account', 'sbatch'].find(
    (option) => options[option] !== undefined,
  );
  if (given === undefined) return;
  throw new SettingsError(
    `--${given} is for a cluster: the engine local runs jobs on this machine as they are.`,
  );
}

function refuseModule(name: string): void {
  if (!/\.[cm]?[jt]s$/.test(name)) return;
  throw new SettingsError(
    `"${name}" is a module: experiments that are defined in code run where they are defined. "submit" takes names of experiments that have a config.yaml.`,
  );
}
