import { compareText } from '../../base/diagnostics.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Dossier } from '../dossier.ts';
import type { ConditionSummary } from '../model.ts';
import { count } from '../numbers.ts';
import type { RunLog } from '../run-log.ts';
import { type Content, html, renderSection, renderTable } from './html.ts';

const DIGITS = 12;
const MOST_SEEDS = 1000;
const MOST_SOURCES = 200;

/** From what, where and when the results came. */
export function provenanceSection({ report, logs, sources, version }: Dossier): Content {
  const { conditions } = report;
  const rows = conditions.map((summary): Content[] => {
    const log = logs.get(summary.condition);
    return [
      summary.condition,
      timeOf(log?.startedAt),
      log?.ms === undefined ? '' : formatDuration(log.ms),
      replicatesOf(summary, log),
      commitOf(log),
      log?.platform ?? '',
      digestOf(summary.digest),
    ];
  });
  return renderSection('provenance', 'Provenance', [
    renderTable(
      'Provenance by condition',
      [
        { title: 'Condition' },
        { title: 'Started (UTC)' },
        { title: 'Took', numeric: true },
        { title: 'Replicates' },
        { title: 'Commit' },
        { title: 'Platform' },
        { title: 'metrics.json' },
      ],
      rows,
    ),
    html`<dl>
<dt>Written by</dt><dd>nx-experiments ${version}</dd>
${versionLines(logs)}</dl>
`,
    seeds(conditions),
    sourceTable(sources),
  ]);
}

function timeOf(startedAt: string | undefined): Content {
  if (startedAt === undefined) return 'unknown';
  return html`<time datetime="${startedAt}">${startedAt.slice(0, 19).replace('T', ' ')}</time>`;
}

function replicatesOf({ finished, failed }: ConditionSummary, log: RunLog | undefined): string {
  const all = finished + failed.length;
  if (log === undefined) return String(all);
  const ran = Math.max(0, all - log.reused);
  return [
    ...(log.reused > 0 ? [`${log.reused} reused`] : []),
    ...(ran > 0 || log.reused === 0 ? [`${ran} run`] : []),
  ].join(', ');
}

function commitOf(log: RunLog | undefined): Content {
  if (log?.commit === undefined) return 'unknown';
  const state = log.dirty === undefined ? '' : log.dirty ? ' + uncommitted changes' : ', clean';
  return html`<code title="${log.commit}">${log.commit.slice(0, DIGITS)}</code>${state}`;
}

function digestOf(digest: string | undefined): Content {
  return digest === undefined ? '' : html`<code title="${digest}">${digest.slice(0, DIGITS)}</code>`;
}

/** Each version once; where conditions disagree, all that were seen. */
function versionLines(logs: Dossier['logs']): Content[] {
  const seen = new Map<string, Set<string>>();
  for (const { versions } of logs.values()) {
    for (const [name, version] of Object.entries(versions))
      seen.set(name, (seen.get(name) ?? new Set()).add(version));
  }
  return [...seen]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, versions]) => html`<dt>${name}</dt><dd>${[...versions].join(', ')}</dd>\n`);
}

/** Conditions are paired: nearly always, all have the same seeds. */
function seeds(conditions: readonly ConditionSummary[]): Content {
  const groups = new Map<string, string[]>();
  for (const { condition, seeds: own } of conditions) {
    const key = own.slice(0, MOST_SEEDS).join(', ') + (own.length > MOST_SEEDS ? ', …' : '');
    groups.set(key, [...(groups.get(key) ?? []), condition]);
  }
  return [...groups].map(([list, names]) => {
    if (list === '') return undefined;
    const whose = groups.size === 1 ? 'the same in every condition' : names.join(', ');
    const all = list.split(', ');
    return html`<details><summary>${count(all.length, 'seed')}, ${whose}</summary><p class="seeds">${list}</p></details>\n`;
  });
}

function sourceTable(sources: Dossier['sources']): Content {
  if (sources.length === 0) return undefined;
  const rest = sources.length - MOST_SOURCES;
  return html`<details><summary>${count(sources.length, 'source file')}</summary>
${renderTable(
  'Source files',
  [{ title: 'File' }, { title: 'SHA-256' }],
  sources.slice(0, MOST_SOURCES).map(({ path, sha256 }) => [path, digestOf(sha256)]),
)}${rest > 0 ? html`<p class="note">${rest} more in run.jsonl of each condition.</p>\n` : undefined}</details>
`;
}
