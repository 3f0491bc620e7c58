import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { compareText } from '../base/diagnostics.ts';
import { sha256 } from '../base/digest.ts';
import { VERSION } from '../base/version.ts';
import { resolveCondition } from '../graph/conditions.ts';
import { describeSource } from '../graph/describe-source.ts';
import { experimentOf, type Graph } from '../graph/graph.ts';
import { manifestPath } from '../io/condition-folder.ts';
import { renderPicture } from '../picture/draw.ts';
import { nearestOf, pictureOf } from '../picture/model.ts';
import type {
  Dossier,
  DossierArtifact,
  SourceFile,
  UpstreamArtifact,
  UpstreamExperiment,
} from '../report/dossier.ts';
import type { ConditionFacts, ReportModel } from '../report/model.ts';
import { parseRunLog, type RunLog } from '../report/run-log.ts';
import { type ConditionManifest, parseManifest, spellNonFinite } from './manifest.ts';
import { conditionId, RESULTS, withUpstream } from './plan.ts';

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

/**
 * Digest of everything that the reports are made of: results, logs, what upstream left, verdicts and configs. When it is the
 * same, so are they.
 */
export function basisOf(root: string, graph: Graph, report: ReportModel): string {
  const { experiment, description, conditions, missing, verdicts } = report;
  const { config } = experimentOf(graph, experiment);
  const digests = new Map<string, string>();
  const note = (path: string): void => {
    if (!digests.has(path)) digests.set(path, digestNow(join(root, path)));
  };
  const upstream = new Map<string, unknown>();
  for (const { condition } of conditions) {
    note(`${config.folder}/${RESULTS}/${condition}/run.jsonl`);
    for (const source of resolveCondition(graph, experiment, condition).sources) {
      if (source.type !== 'artifact') continue;
      const { folder } = experimentOf(graph, source.experiment).config;
      note(`${folder}/${RESULTS}/${source.condition}/metrics.json`);
    }
    for (const ref of withUpstream(graph, [{ experiment, condition }]).slice(1)) {
      const { context } = resolveCondition(graph, ref.experiment, ref.condition);
      upstream.set(`${condition} ${conditionId(ref)}`, context);
    }
  }
  const picture = nearestOf(pictureOf(graph, { experiments: [experiment] }), experiment, MAX_PICTURE);
  const made = [VERSION, experiment, description, config.steps, conditions, missing, verdicts];
  return sha256(JSON.stringify([made, [...digests], [...upstream], picture], spellNonFinite));
}

function digestNow(path: string): string {
  try {
    return sha256(readFileSync(path));
  } catch {
    return 'unreadable';
  }
}

/** Gathers what the page and the research object show beside the comparison. What cannot be read is left out. */
export async function gatherDossier(
  root: string,
  graph: Graph,
  report: ReportModel,
  manifests: readonly ConditionManifest[],
): Promise<Dossier> {
  const { config } = experimentOf(graph, report.experiment);
  const results = join(root, config.folder, RESULTS);
  const upstream = await upstreamOf(root, graph, report);
  const logs = await Promise.all(
    manifests.map(async ({ condition }) => [condition, await readLog(results, condition)] as const),
  );
  const known = new Map(
    logs.flatMap(([condition, log]) => (log === undefined ? [] : [[condition, log] as const])),
  );
  return {
    report,
    version: VERSION,
    steps: config.steps.map(({ name, args }) =>
      Object.keys(args).length === 0 ? name : `${name} ${JSON.stringify(args)}`,
    ),
    logs: known,
    artifacts: await artifactsOf(results, manifests),
    upstream,
    ...(await pictureOfUpstream(graph, report.experiment)),
    sources: sourcesOf(known),
  };
}

/** Graphviz takes long for large graphs, and nobody can read them. */
async function pictureOfUpstream(
  graph: Graph,
  experiment: string,
): Promise<Pick<Dossier, 'graphSvg' | 'graphLeftOut'>> {
  const whole = pictureOf(graph, { experiments: [experiment] });
  if (whole.nodes.length < 2) return { graphSvg: undefined, graphLeftOut: 0 };
  const shown = nearestOf(whole, experiment, MAX_PICTURE);
  return {
    graphSvg: String(await renderPicture(shown, 'svg')),
    graphLeftOut: whole.nodes.length - shown.nodes.length,
  };
}

async function readLog(results: string, condition: string): Promise<RunLog | undefined> {
  const text = await readFile(join(results, condition, 'run.jsonl'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseRunLog(text);
}

/** Of each output and condition, the image of the first replicate is shown. */
async function artifactsOf(
  results: string,
  manifests: readonly ConditionManifest[],
): Promise<DossierArtifact[]> {
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
          const content = await readFile(join(results, path)).catch(() => undefined);
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

async function upstreamOf(
  root: string,
  graph: Graph,
  { experiment, conditions }: ReportModel,
): Promise<UpstreamExperiment[]> {
  const readAt = new Map<string, Record<string, string>>();
  for (const { condition } of conditions) {
    for (const ref of withUpstream(graph, [{ experiment, condition }]).slice(1)) {
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
  return Promise.all(
    names.map(async (name) => ({
      name,
      description: experimentOf(graph, name).config.description,
      conditions: readAt.get(name) ?? {},
      parameters: Object.fromEntries(
        Object.entries(readAt.get(name) ?? {}).map(([condition, at]) => [
          condition,
          resolveCondition(graph, name, at).context,
        ]),
      ),
      artifacts: await readArtifacts(root, graph, name, direct.get(name) ?? new Set()),
    })),
  );
}

/** @param read `condition NUL output` */
async function readArtifacts(
  root: string,
  graph: Graph,
  name: string,
  read: ReadonlySet<string>,
): Promise<UpstreamArtifact[]> {
  const results = join(root, experimentOf(graph, name).config.folder, RESULTS);
  const conditions = [...new Set([...read].map((key) => key.split('\0')[0] ?? ''))];
  const manifests = await Promise.all(
    conditions.map(async (condition) =>
      parseManifest(await readFile(manifestPath(results, condition), 'utf8').catch(() => '')),
    ),
  );
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
