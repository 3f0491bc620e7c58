import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { REPORT_FOLDER } from '../../base/names.ts';
import { SettingsError } from '../../base/settings-error.ts';
import { manifestPath } from '../../io/writing/condition-folder.ts';
import { type ParsedSummary, parseSummary, type Summary } from '../../report/diff/parse-summary.ts';
import { type ConditionFacts, compareConditions } from '../../report/model.ts';
import { renderSummary } from '../../report/summary.ts';
import { type ConditionManifest, parseManifest } from '../../runtime/manifest.ts';

/** @throws SettingsError that says what is wrong with it, and where */
export function readSummary(path: string): Summary {
  const parsed = parseSummary(readFileSync(path, 'utf8').replace(/^\ufeff/, ''));
  if (!parsed.ok) throw new SettingsError(`${path} cannot be compared: ${parsed.problem}.`);
  return parsed.value;
}

interface Wanted {
  readonly experiment: string;
  /** Default: those that the folder has. */
  readonly conditions?: readonly string[];
  /** What is known of the conditions beside their results. @param digests of metrics.json by condition */
  readonly facts?: (digests: ReadonlyMap<string, string>) => ReadonlyMap<string, ConditionFacts>;
}

/**
 * The results of a folder as a summary: that of its report when it is of just these results, else what the results say
 * themselves, without verdicts. Undefined when there are none.
 *
 * @throws SettingsError when something of it is damaged
 */
export function readResults(results: string, { experiment, conditions, facts }: Wanted): Summary | undefined {
  const path = join(results, REPORT_FOLDER, 'summary.json');
  const report = existsSync(path) ? readSummary(path) : undefined;
  const names = conditions ?? report?.conditions.map(({ condition }) => condition) ?? conditionsIn(results);
  const manifests: ConditionManifest[] = [];
  const digests = new Map<string, string>();
  for (const condition of names) {
    const file = manifestPath(results, condition);
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const manifest = parseManifest(text);
    if (manifest === undefined)
      throw new SettingsError(
        `${file} is damaged. Run the condition "${condition}" of "${experiment}" again.`,
      );
    manifests.push(manifest);
    digests.set(condition, sha256(text));
  }
  if (manifests.length === 0) return conditions === undefined ? report : undefined;
  const isOfThese =
    report?.conditions.length === manifests.length &&
    report.conditions.every(
      ({ condition, digest }) => digest !== undefined && digests.get(condition) === digest,
    );
  if (isOfThese) return report;
  const known = facts?.(digests);
  const [first] = manifests;
  const model = compareConditions(
    { name: first?.experiment ?? experiment, description: undefined, ...(known ? { facts: known } : {}) },
    manifests,
    [],
  );
  const parsed: ParsedSummary = parseSummary(renderSummary(model));
  if (!parsed.ok) throw new Error(`Bug: ${parsed.problem}`);
  return parsed.value;
}

function conditionsIn(results: string): string[] {
  const entries = readdirSync(results, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== REPORT_FOLDER && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .filter((name) => existsSync(manifestPath(results, name)))
    .sort();
}

/** Whether a folder holds conditions or their report. */
export function isResults(folder: string): boolean {
  return existsSync(join(folder, REPORT_FOLDER, 'summary.json')) || conditionsIn(folder).length > 0;
}

/** Whether a folder is a report. */
export function isReport(folder: string): boolean {
  return existsSync(join(folder, 'summary.json')) && basename(folder) !== '';
}
