import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { compareText } from '../../base/diagnostics.ts';
import { sha256 } from '../../base/digest.ts';
import { VERSION } from '../../base/version.ts';
import { resolveCondition } from '../../graph/conditions.ts';
import { describeSource } from '../../graph/describe-source.ts';
import { experimentOf, type Graph } from '../../graph/graph.ts';
import { drawLayers } from '../../picture/layers.ts';
import { pictureAround, pictureDigest } from '../../picture/model.ts';
import type {
  Dossier,
  DossierArtifact,
  SourceFile,
  UpstreamArtifact,
  UpstreamExperiment,
} from '../../report/dossier.ts';
import type { ConditionFacts, ReportModel } from '../../report/model.ts';
import { parseRunLog, type RunLog } from '../../report/run-log.ts';
import { type ConditionManifest, spellNonFinite } from '../manifest.ts';
import { type ConditionRef, conditionId, RESULTS, upstreamOfCondition } from '../plan.ts';
import type { ResultsReader } from './results-reader.ts';

const IMAGES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.svg': 'image/svg+xml',
};

/** Experiments in the picture of what is read. */
const MAX_PICTURE = 12;

/** An image that is larger is linked, not shown; and so are those beyond the second number. */
const LARGEST_IMAGE = 500_000;
const ALL_IMAGES = 4_000_000;

/** What is known of each condition from the configs. */
export function factsOf(
  graph: Graph,
  name: string,
  digests: ReadonlyMap<string, string>,
): Map<string, ConditionFacts> {
  const facts = new Map<string, ConditionFacts>();
  for (const [condition, digest] of digests) {
    const { context, sources } = resolveCondition(graph, name, condition);
    facts.set(condition, {
      digest,
      parameters: context,
      datasource: Object.fromEntries(sources.map((source) => [source.alias, describeSource(source)])),
    });
  }
  return facts;
}

const UNREADABLE = 'unreadable';

/** What the reports of one experiment are made of. Each file is read once: they show what their basis has seen. */
export class ReportSources {
  private readonly known = new Map<string, Buffer | undefined>();

  constructor(
    readonly root: string,
    readonly graph: Graph,
    readonly results: ResultsReader,
  ) {}

  /** @param path relative to the root. @returns undefined for what cannot be read */
  read(path: string): Buffer | undefined {
    if (this.known.has(path)) return this.known.get(path);
    const content = readNow(join(this.root, path));
    this.known.set(path, content);
    return content;
  }
}

/**
 * Digest of everything that the reports are made of: results, logs, what upstream left, verdicts and configs. When it is the
 * same, so are they.
 */
export function basisOf(sources: ReportSources, report: ReportModel): string {
  const { graph, results } = sources;
  const { experiment, description, conditions, missing, verdicts } = report;
  const { config } = experimentOf(graph, experiment);
  const digests = new Map<string, string>();
  for (const { condition } of conditions) {
    const log = sources.read(logPath(config.folder, condition));
    digests.set(condition, log === undefined ? UNREADABLE : sha256(log));
    for (const source of resolveCondition(graph, experiment, condition).sources) {
      if (source.type === 'artifact')
        digests.set(conditionId(source), results.of(source).digest ?? UNREADABLE);
    }
  }
  const lineages = conditions.map(({ condition }) => lineageOf(graph, { experiment, condition }));
  const made = [VERSION, experiment, description, config.steps, conditions, missing, verdicts];
  return sha256(
    JSON.stringify([made, [...digests], lineages, pictureDigest(graph, experiment)], spellNonFinite),
  );
}

const knownLineages = new WeakMap<Graph, Map<string, string>>();

/** Digest of the context values of a condition and of all that it reads, directly or not. */
function lineageOf(graph: Graph, ref: ConditionRef): string {
  const known = knownLineages.get(graph) ?? new Map<string, string>();
  knownLineages.set(graph, known);
  const id = conditionId(ref);
  const found = known.get(id);
  if (found !== undefined) return found;
  const { context, sources } = resolveCondition(graph, ref.experiment, ref.condition);
  const upstream = sources.flatMap((source) =>
    source.type === 'artifact' ? [lineageOf(graph, source)] : [],
  );
  const digest = sha256(JSON.stringify([id, context, upstream]));
  known.set(id, digest);
  return digest;
}

/** Gathers what the page and the research object show beside the comparison. What cannot be read is left out. */
export function gatherDossier(
  sources: ReportSources,
  report: ReportModel,
  manifests: readonly ConditionManifest[],
): Dossier {
  const { graph } = sources;
  const { config } = experimentOf(graph, report.experiment);
  const upstream = upstreamOf(sources, report);
  const logs = new Map<string, RunLog>();
  for (const { condition } of manifests) {
    const text = sources.read(logPath(config.folder, condition));
    if (text !== undefined) logs.set(condition, parseRunLog(text.toString('utf8')));
  }
  return {
    report,
    version: VERSION,
    steps: config.steps.map(({ name, args }) =>
      Object.keys(args).length === 0 ? name : `${name} ${JSON.stringify(args)}`,
    ),
    logs,
    artifacts: artifactsOf(join(sources.root, config.folder, RESULTS), manifests),
    upstream,
    ...pictureOfUpstream(graph, report.experiment, upstream.length),
    sources: sourcesOf(logs),
  };
}

/** Nobody can read the picture of a large graph. */
function pictureOfUpstream(
  graph: Graph,
  experiment: string,
  upstream: number,
): Pick<Dossier, 'graphSvg' | 'graphLeftOut'> {
  if (upstream === 0) return { graphSvg: undefined, graphLeftOut: 0 };
  const picture = pictureAround(graph, experiment, MAX_PICTURE);
  return { graphSvg: drawLayers(picture), graphLeftOut: upstream + 1 - picture.nodes.length };
}

function logPath(folder: string, condition: string): string {
  return `${folder}/${RESULTS}/${condition}/run.jsonl`;
}

function readNow(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Of each output and condition, the image of the first replicate is shown. */
function artifactsOf(results: string, manifests: readonly ConditionManifest[]): DossierArtifact[] {
  const all: DossierArtifact[] = [];
  let room = ALL_IMAGES;
  for (const { condition, replicates } of manifests) {
    const shown = new Set<string>();
    for (const { replicate, artifacts } of replicates) {
      for (const [output, record] of Object.entries(artifacts)) {
        const path = `${condition}/artifacts/replicate_${replicate}/${record.fileName}`;
        let image: string | undefined;
        const type = IMAGES[extname(record.fileName).toLowerCase()];
        if (type !== undefined && !shown.has(output) && record.bytes <= Math.min(LARGEST_IMAGE, room)) {
          shown.add(output);
          const content = readNow(join(results, path));
          // What lies there may be another file by now.
          if (content !== undefined && sha256(content) === record.sha256) {
            image = `data:${type};base64,${content.toString('base64')}`;
            room -= record.bytes;
          }
        }
        all.push({ condition, replicate, output, path, bytes: record.bytes, sha256: record.sha256, image });
      }
    }
  }
  return all;
}

function upstreamOf(
  { graph, results }: ReportSources,
  { experiment, conditions }: ReportModel,
): UpstreamExperiment[] {
  const readAt = new Map<string, Record<string, string>>();
  for (const { condition } of conditions) {
    for (const ref of upstreamOfCondition(graph, experiment, condition)) {
      const at = readAt.get(ref.experiment) ?? {};
      at[condition] = ref.condition;
      readAt.set(ref.experiment, at);
    }
  }
  const direct = new Map<string, Set<string>>();
  for (const { condition } of conditions) {
    for (const source of resolveCondition(graph, experiment, condition).sources) {
      if (source.type !== 'artifact') continue;
      const outputs = direct.get(source.experiment) ?? new Set<string>();
      direct.set(source.experiment, outputs.add(`${source.condition}\0${source.output.alias}`));
    }
  }
  const names = graph.order.filter((name) => readAt.has(name));
  return names.map((name) => ({
    name,
    conditions: readAt.get(name) ?? {},
    parameters: Object.fromEntries(
      Object.entries(readAt.get(name) ?? {}).map(([condition, at]) => [
        condition,
        resolveCondition(graph, name, at).context,
      ]),
    ),
    artifacts: readArtifacts(results, name, direct.get(name) ?? new Set()),
  }));
}

/** @param read `condition NUL output` */
function readArtifacts(
  results: ResultsReader,
  experiment: string,
  read: ReadonlySet<string>,
): UpstreamArtifact[] {
  const conditions = [...new Set([...read].map((key) => key.split('\0')[0] ?? ''))];
  const manifests = conditions.map((condition) => results.of({ experiment, condition }).manifest);
  return manifests.flatMap((manifest) =>
    (manifest?.replicates ?? []).flatMap(({ replicate, artifacts }) =>
      Object.entries(artifacts)
        .filter(([output]) => read.has(`${manifest?.condition}\0${output}`))
        .map(([output, record]) => ({
          condition: manifest?.condition ?? '',
          replicate,
          output,
          ...record,
        })),
    ),
  );
}

/** As they were when the conditions ran; of a file that changed in between, the one that the first condition saw. */
function sourcesOf(logs: ReadonlyMap<string, RunLog>): SourceFile[] {
  const digests = new Map<string, string>();
  for (const { code } of logs.values()) {
    for (const [path, digest] of Object.entries(code)) if (!digests.has(path)) digests.set(path, digest);
  }
  return [...digests]
    .sort(([a], [b]) => compareText(a, b))
    .map(([path, digest]) => ({ path, sha256: digest }));
}
