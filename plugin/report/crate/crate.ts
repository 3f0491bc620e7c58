import type { Dossier } from '../dossier.ts';
import { createActions } from './actions.ts';
import { artifactsByCondition } from './artifacts.ts';
import { type Entity, formatOf, localUri, referTo, referToAll, uriOf } from './entities.ts';

const PROFILE = 'https://w3id.org/ro/wfrun/process/0.5';
const RO_CRATE = 'https://w3id.org/ro/crate/1.1';
const CONTEXT = [`${RO_CRATE}/context`, 'https://w3id.org/ro/terms/workflow-run/context'];
const LICENSE = localUri('license');

/** What the report consists of, in its folder. */
const REPORT_FILES: Readonly<Record<string, string>> = {
  'report/report.html': 'The comparison as a page',
  'report/report.md': 'The comparison as Markdown',
  'report/summary.json': 'The comparison as data',
};

/**
 * Text of ro-crate-metadata.json: how the results came about, as a Process Run Crate 0.5 whose root is the folder of the results.
 * Times are those of the logs, so that the same results and logs give the same text. One entity a line.
 */
export function renderCrate(dossier: Dossier): string {
  const lines = createGraph(dossier).map((entity) => `    ${JSON.stringify(entity)}`);
  return `{\n  "@context": ${JSON.stringify(CONTEXT)},\n  "@graph": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

function createGraph(dossier: Dossier): Entity[] {
  const { actions, context, published } = createActions(dossier, Object.keys(REPORT_FILES));
  const folders = [...conditionFolders(dossier), reportFolder()];
  return [
    {
      '@id': 'ro-crate-metadata.json',
      '@type': 'CreativeWork',
      conformsTo: referTo(RO_CRATE),
      about: referTo('./'),
    },
    {
      '@id': './',
      '@type': 'Dataset',
      name: `Results of the experiment ${dossier.report.experiment}`,
      description: dossier.report.description ?? 'Conditions of an experiment and their comparison.',
      datePublished: published,
      license: referTo(LICENSE),
      conformsTo: referTo(PROFILE),
      hasPart: referToAll(folders.map(([folder]) => folder['@id'])),
      mentions: referToAll(actions.map((action) => action['@id'])),
    },
    { '@id': PROFILE, '@type': 'CreativeWork', name: 'Process Run Crate', version: '0.5' },
    {
      '@id': LICENSE,
      '@type': 'CreativeWork',
      name: 'No license stated',
      description: 'The experiment states no license of its results. Ask its authors before you use them.',
    },
    ...actions,
    ...context,
    ...folders.flatMap(([folder, files]) => [folder, ...files]),
  ];
}

type Folder = readonly [folder: Entity, files: readonly Entity[]];

/** A Dataset lists the files of each condition, so that the root stays short. */
function conditionFolders({ report, logs, artifacts }: Dossier): Folder[] {
  const byCondition = artifactsByCondition(artifacts);
  return report.conditions.map(({ condition, digest }) =>
    folderOf(`${condition}/`, `Results under ${condition}`, [
      {
        ...fileOf(
          `${condition}/metrics.json`,
          `Metrics, seeds and digests of the replicates under ${condition}`,
        ),
        sha256: digest,
      },
      ...(logs.has(condition)
        ? [
            {
              ...fileOf(`${condition}/run.jsonl`, `Log of the run under ${condition}`),
              about: referTo(localUri('run', condition)),
            },
          ]
        : []),
      ...(byCondition.get(condition) ?? []).map(({ path, output, replicate, bytes, sha256 }) => ({
        ...fileOf(path, `Output ${output} of replicate ${replicate} under ${condition}`),
        contentSize: String(bytes),
        sha256,
      })),
    ]),
  );
}

function reportFolder(): Folder {
  return folderOf(
    'report/',
    'Comparison of the conditions',
    Object.entries(REPORT_FILES).map(([path, description]) => fileOf(path, description)),
  );
}

function folderOf(path: string, name: string, files: readonly Entity[]): Folder {
  const hasPart = referToAll(files.map((file) => file['@id']));
  return [{ '@id': uriOf(path), '@type': 'Dataset', name, hasPart }, files];
}

function fileOf(path: string, description: string): Entity {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { '@id': uriOf(path), '@type': 'File', name, description, encodingFormat: formatOf(name) };
}
