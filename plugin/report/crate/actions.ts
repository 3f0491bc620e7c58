import { compareText } from '../../base/diagnostics.ts';
import { canonicalJson, type Json } from '../../base/json.ts';
import type { Dossier } from '../dossier.ts';
import type { ConditionSummary } from '../model.ts';
import type { RunLog } from '../run-log.ts';
import { artifactsByCondition } from './artifacts.ts';
import { type Entity, localUri, referTo, referToAll, uriOf } from './entities.ts';
import { OutsideFiles } from './outside.ts';

const HOMEPAGES: Readonly<Record<string, string>> = {
  node: 'https://nodejs.org/',
  python: 'https://www.python.org/',
};

const MOST_ERRORS = 5;
const LONGEST_ERROR = 1_000;

/** What was done: the run of each condition and the comparison; and the entities that these name. */
export interface Actions {
  readonly actions: readonly Entity[];
  readonly context: readonly Entity[];
  /** When the last of the runs ended; undefined when no log tells. */
  readonly published: string | undefined;
}

/** @param reportFiles what the comparison results in, relative to the results folder */
export function createActions(dossier: Dossier, reportFiles: readonly string[]): Actions {
  const { report, logs, version } = dossier;
  const context = new Map<string, Entity>();
  const add = (entity: Entity): string => {
    if (!context.has(entity['@id'])) context.set(entity['@id'], entity);
    return entity['@id'];
  };
  const outside = new OutsideFiles();
  const sources = dossier.sources.map(({ path, sha256 }) =>
    outside.add({ name: path, bytes: undefined, sha256, origin: 'Code that the experiment runs' }),
  );
  const files = artifactsByCondition(dossier.artifacts);
  const instrumentOf = createInstruments(dossier, add);
  const runs = report.conditions.map((condition) =>
    runOf(dossier, condition, {
      instrument: instrumentOf(logs.get(condition.condition)),
      inputs: [...sources, ...parametersOf(condition).map(add), ...upstreamOf(dossier, condition, outside)],
      files: (files.get(condition.condition) ?? []).map(({ path }) => uriOf(path)),
      metrics: metricsOf(dossier, condition).map(add),
    }),
  );
  const comparison: Entity = {
    '@id': localUri('comparison'),
    '@type': 'CreateAction',
    name: `Comparison of the conditions of ${report.experiment}`,
    description: ['Compares each condition with the baseline.', ...report.missing.map(spellMissing)].join(
      ' ',
    ),
    instrument: referTo(add(software('nx-experiments', version))),
    object: referToAll(report.conditions.map(({ condition }) => uriOf(`${condition}/metrics.json`))),
    result: referToAll(reportFiles.map(uriOf)),
  };
  const ends = [...logs.values()].flatMap((log) => endOf(log) ?? []);
  return {
    actions: [...runs, comparison],
    context: [...context.values(), ...outside.entities()],
    published: ends.sort(compareText).at(-1),
  };
}

interface Around {
  readonly instrument: string;
  readonly inputs: readonly string[];
  readonly files: readonly string[];
  readonly metrics: readonly string[];
}

function runOf(
  { report, logs }: Dossier,
  { condition, finished, failed }: ConditionSummary,
  { instrument, inputs, files, metrics }: Around,
): Entity {
  const log = logs.get(condition);
  const reused = log !== undefined && log.reused > 0 ? `, ${log.reused} taken from the run store` : '';
  return {
    '@id': localUri('run', condition),
    '@type': 'CreateAction',
    name: `Run of ${report.experiment} under ${condition}`,
    description: `Replicates: ${finished} finished${reused}, ${failed.length} failed.`,
    startTime: log && offsetTime(log.startedAt, 0),
    endTime: log && endOf(log),
    actionStatus: `http://schema.org/${failed.length === 0 ? 'Completed' : 'Failed'}ActionStatus`,
    error: failed.length === 0 ? undefined : spellFailures(failed),
    instrument: referTo(instrument),
    object: referToAll([...new Set(inputs)]),
    result: referToAll([uriOf(`${condition}/metrics.json`), ...files, ...metrics]),
  };
}

function spellFailures(failed: ConditionSummary['failed']): string {
  const said = failed
    .slice(0, MOST_ERRORS)
    .map(({ replicate, reason }) => `replicate ${replicate}: ${reason}`);
  const rest = failed.length > MOST_ERRORS ? [`${failed.length - MOST_ERRORS} more`] : [];
  return [...said.map((text) => text.slice(0, LONGEST_ERROR)), ...rest].join('\n');
}

function spellMissing({ condition, reason }: { condition: string; reason: string }): string {
  return `Without ${condition}: ${reason}.`;
}

/** The experiment as software: one entity for each checkout, platform and set of versions that conditions ran with. */
function createInstruments({ report, steps }: Dossier, add: (entity: Entity) => string) {
  const known = new Map<string, string>();
  return (log: RunLog | undefined): string => {
    const { commit, dirty, platform, versions = {} } = log ?? {};
    const softwareVersion = commit === undefined ? undefined : dirty ? `${commit}-dirty` : commit;
    const key = canonicalJson([softwareVersion ?? null, platform ?? null, versions]);
    const id =
      known.get(key) ?? localUri('experiment', ...(known.size === 0 ? [] : [String(known.size + 1)]));
    known.set(key, id);
    const requirements = Object.entries(versions)
      .sort(([a], [b]) => compareText(a, b))
      .map(([name, version]) => add(software(name, version)));
    return add({
      '@id': id,
      '@type': 'SoftwareApplication',
      name: report.experiment,
      description: report.description,
      softwareVersion,
      operatingSystem: platform,
      softwareRequirements: referToAll(requirements),
      featureList: steps.length === 0 ? undefined : steps,
    });
  };
}

function software(name: string, version: string): Entity {
  return {
    '@id': localUri('software', name, version),
    '@type': 'SoftwareApplication',
    name,
    url: Object.hasOwn(HOMEPAGES, name) ? HOMEPAGES[name] : undefined,
    softwareVersion: version,
  };
}

function parametersOf({ condition, parameters = {} }: ConditionSummary): Entity[] {
  return Object.entries(parameters)
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, value]) => ({
      '@id': localUri('parameter', condition, name),
      '@type': 'PropertyValue',
      name,
      value: literal(value),
    }));
}

/** JSON-LD drops null, and would read an object as an entity. */
function literal(value: Json): string | number | boolean {
  return value === null || typeof value === 'object' ? canonicalJson(value) : value;
}

function metricsOf({ report }: Dossier, { condition }: ConditionSummary): Entity[] {
  return report.metrics
    .filter((row) => row.condition === condition)
    .map(({ metric, description: { mean, n } }) => ({
      '@id': localUri('metric', condition, metric),
      '@type': 'PropertyValue',
      name: metric,
      description: `Mean, n = ${n}`,
      value: Number.isFinite(mean) ? mean : String(mean),
    }));
}

function upstreamOf({ upstream }: Dossier, { condition }: ConditionSummary, outside: OutsideFiles): string[] {
  return upstream.flatMap(({ name, conditions, artifacts }) => {
    const readAt = Object.hasOwn(conditions, condition) ? conditions[condition] : undefined;
    return artifacts
      .filter((artifact) => artifact.condition === readAt)
      .map(({ output, fileName, bytes, sha256 }) =>
        outside.add({
          name: fileName,
          bytes,
          sha256,
          origin: `Output ${output} of the experiment ${name} under ${readAt}`,
        }),
      );
  });
}

function endOf({ startedAt, ms }: RunLog): string | undefined {
  return ms === undefined ? undefined : offsetTime(startedAt, ms);
}

/** With the offset spelled out, as validators of the profile want it; undefined for what is no time. */
function offsetTime(startedAt: string | undefined, ms: number): string | undefined {
  const time = new Date(Date.parse(startedAt ?? '') + ms);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString().replace('Z', '+00:00');
}
