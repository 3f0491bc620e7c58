import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { CRATE_FILE, REPORT_FOLDER } from '../base/names.ts';
import { replaceFolder } from '../io/replace-folder.ts';
import { renderCrate } from '../report/crate/crate.ts';
import type { Dossier } from '../report/dossier.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderSummary } from '../report/summary.ts';

const PAGE = 'report.html';

/**
 * Writes results/report, whole or not at all, and the metadata of the research object beside it.
 *
 * @param results absolute path of the results folder
 */
export async function writeReports(results: string, dossier: Dossier): Promise<void> {
  const report = join(results, REPORT_FOLDER);
  const growing = join(results, `.${REPORT_FOLDER}.${process.pid}`);
  const summary = renderSummary(dossier.report);
  await rm(growing, { recursive: true, force: true });
  await mkdir(growing, { recursive: true });
  await writeFile(join(growing, 'summary.json'), summary);
  await writeFile(join(growing, 'report.md'), renderMarkdown(dossier.report));
  await writeFile(join(growing, PAGE), await pageOf(dossier, summary, join(report, PAGE)));
  const crate = join(results, `.${CRATE_FILE}.${process.pid}`);
  await writeFile(crate, renderCrate(dossier));
  await rename(crate, join(results, CRATE_FILE));
  await replaceFolder(growing, report);
}

/** Charts take longer than all else: a page that lies in place and was made of the same is taken as it is. */
async function pageOf(dossier: Dossier, summary: string, place: string): Promise<string> {
  const { report, logs, ...rest } = dossier;
  const failed = report.conditions.map((condition) => condition.failed);
  const made = sha256(JSON.stringify([summary, failed, [...logs], rest]));
  const before = existsSync(place) ? await readFile(place, 'utf8') : '';
  const [, page, seal] = /^(.*)<!-- ([0-9a-f]{64} [0-9a-f]{64}) -->\n$/s.exec(before) ?? [];
  if (page !== undefined && seal === `${made} ${sha256(page)}`) return before;
  const { renderPage } = await import('../report/page/page.ts');
  const text = await renderPage(dossier);
  return `${text}<!-- ${made} ${sha256(text)} -->\n`;
}
