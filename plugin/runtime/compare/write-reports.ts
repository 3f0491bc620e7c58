import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { CRATE_FILE, REPORT_FOLDER } from '../../base/names.ts';
import { removeLeftovers } from '../../io/writing/condition-folder.ts';
import { growingName } from '../../io/writing/growing.ts';
import { makeEmptyFolder } from '../../io/writing/make-folder.ts';
import { replaceFolder } from '../../io/writing/replace-folder.ts';
import { renderCrate } from '../../report/crate/crate.ts';
import type { Dossier } from '../../report/dossier.ts';
import { renderMarkdown } from '../../report/markdown.ts';
import { compareConditions } from '../../report/model.ts';
import { renderSummary } from '../../report/summary.ts';
import type { RunEvent } from '../events.ts';
import type { ConditionManifest } from '../manifest.ts';

const PAGE = 'report.html';

/** A run that lasts longer is likely to wait for its workers. */
const AHEAD_AFTER_MS = 500;

/** In the order in which their digests stand at the end of the page. */
const OTHERS = [`${REPORT_FOLDER}/summary.json`, `${REPORT_FOLDER}/report.md`, CRATE_FILE];

/**
 * Writes results/report, whole or not at all, and the metadata of the research object beside it; nothing when all of that
 * lies in place and was made of the same.
 *
 * @param results absolute path of the results folder
 * @param basis digest of all that the reports are made of
 */
export async function writeReports(results: string, basis: string, gather: () => Dossier): Promise<void> {
  if (isInPlace(results, basis)) return;
  const dossier = gather();
  const growing = join(results, growingName(REPORT_FOLDER));
  await makeEmptyFolder(growing);
  await removeLeftovers(results, [REPORT_FOLDER, CRATE_FILE]);
  const [summary, markdown, crate] = [
    renderSummary(dossier.report),
    renderMarkdown(dossier.report),
    renderCrate(dossier),
  ];
  const { renderPage } = await import('../../report/page/page.ts');
  const page = await renderPage(dossier);
  const growingCrate = join(results, growingName(CRATE_FILE));
  try {
    writeFileSync(join(growing, 'summary.json'), summary);
    writeFileSync(join(growing, 'report.md'), markdown);
    writeFileSync(join(growing, PAGE), page + sealOf(basis, page, [summary, markdown, crate]));
    writeFileSync(growingCrate, crate);
    renameSync(growingCrate, join(results, CRATE_FILE));
    await replaceFolder(growing, join(results, REPORT_FOLDER));
  } catch (error) {
    for (const half of [growing, growingCrate]) await rm(half, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Listens to a run, and rehearses a report when the first metric has come: the first one takes several times as long as those
 * after it, and workers are busy meanwhile with what is to be reported.
 */
export function reportsAhead(): (event: RunEvent) => void {
  let begun = false;
  return (event) => {
    if (begun || event.type !== 'replicate-finished') return;
    if (Object.keys(event.record.metrics).length === 0) return;
    begun = true;
    // A short run would only be held up. What fails here fails again, and is told, where a report is written.
    setTimeout(() => void rehearse().catch(() => {}), AHEAD_AFTER_MS).unref();
  };
}

/** Makes a report of which nothing is kept. */
async function rehearse(): Promise<void> {
  const manifestOf = (condition: string, values: readonly number[]): ConditionManifest => ({
    experiment: 'rehearsal',
    condition,
    replicates: values.map((value, replicate) => ({
      replicate,
      seed: 0,
      metrics: { metric: [value] },
      artifacts: {},
    })),
    failed: [],
  });
  const manifests = [manifestOf('baseline', [1, 2]), manifestOf('treatment', [1, 3])];
  const { renderPage } = await import('../../report/page/page.ts');
  await renderPage({
    report: compareConditions({ name: 'rehearsal', description: undefined }, manifests, []),
    version: '',
    steps: [],
    logs: new Map(),
    artifacts: [],
    upstream: [],
    graphSvg: undefined,
    graphLeftOut: 0,
    sources: [],
  });
}

/** The last line of the page: what the reports were made of, and the digest of each of them. */
function sealOf(basis: string, page: string | Buffer, others: readonly (string | Buffer)[]): string {
  return `<!-- ${[basis, sha256(page), ...others.map((text) => sha256(text))].join(' ')} -->\n`;
}

function isInPlace(results: string, basis: string): boolean {
  try {
    const page = readFileSync(join(results, REPORT_FOLDER, PAGE));
    const end = page.lastIndexOf('<!-- ');
    if (end < 0) return false;
    const seal = page.toString('utf8', end);
    // Most often the first digest differs already.
    if (!seal.startsWith(`<!-- ${basis} `)) return false;
    const others = OTHERS.map((path) => readFileSync(join(results, path)));
    return seal === sealOf(basis, page.subarray(0, end), others);
  } catch {
    return false; // what cannot be read is made anew
  }
}
