/**
 * What the statistics and the reports of a large experiment cost: 20 metrics x 6 conditions x 1,000 replicates, with a paired
 * t test of every metric under every treatment.
 *
 *     npm run build && npx jiti benchmarks/reports.ts [replicates] [metrics]
 */
import { execFileSync } from 'node:child_process';
import { renderCrate } from '../plugin/report/crate/crate.ts';
import { judge, testValues } from '../plugin/report/judge.ts';
import { renderMarkdown } from '../plugin/report/markdown.ts';
import { compareConditions } from '../plugin/report/model.ts';
import { renderPage } from '../plugin/report/page/page.ts';
import { renderSummary } from '../plugin/report/summary.ts';
import { renderTable } from '../plugin/report/table.ts';
import { dossierOf } from '../tests/support/dossiers.ts';
import { manifestOf } from '../tests/support/manifests.ts';

const ROUNDS = 5;
const CONDITIONS = ['baseline', 'high_lr', 'low_lr', 'deep', 'wide', 'frozen'];
const replicates = Number(process.argv[2] ?? 1000);
const metrics = Number(process.argv[3] ?? 20);

/** Here jiti transpiles Vega; users load it as it is. */
const LOAD = `const at = performance.now();
await Promise.all([import('vega-lite'), import('vega')]);
console.log(performance.now() - at);`;

async function measure() {
  const manifests = CONDITIONS.map((condition, c) =>
    manifestOf(
      condition,
      Object.fromEntries(
        Array.from({ length: metrics }, (_, m) => [
          `metric_${m}`,
          Array.from(
            { length: replicates },
            (_, i) => Math.sin(i * 12.9898 + m) + (c * m) / 50 + Math.cos(i * c) / 3,
          ),
        ]),
      ),
    ),
  );
  const [baseline, ...treatments] = manifests;
  if (baseline === undefined) throw new Error('Bug: no baseline');
  const hypothesis = {
    name: 'differs',
    verifier: 'paired_t_test',
    metricGroups: [],
    alpha: 0.05,
    alternative: 'two-sided',
    margin: Number.NaN,
    correction: 'holm',
    require: undefined,
    better: undefined,
    at: { file: 'config.yaml', start: 0, end: 0 },
  } as const;

  const times = new Map<string, number[]>();
  const cpu: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let total = 0;
    const usedBefore = process.cpuUsage();
    const timed = async <T>(what: string, run: () => T | Promise<T>): Promise<T> => {
      const startedAt = performance.now();
      const result = await run();
      const ms = performance.now() - startedAt;
      total += ms;
      times.set(what, [...(times.get(what) ?? []), ms]);
      return result;
    };
    const model = await timed('statistics', () => {
      const drafts = Object.keys(baseline.replicates[0]?.metrics ?? {}).flatMap((metric) =>
        treatments.map((treatment) => ({
          hypothesis: hypothesis.name,
          verifier: hypothesis.verifier,
          condition: treatment.condition,
          metrics: [metric],
          builtIn: true,
          result: { ok: true as const, values: testValues(hypothesis, metric, baseline, treatment) },
          of: hypothesis,
        })),
      );
      return compareConditions({ name: 'bench', description: undefined }, manifests, judge(drafts));
    });
    await timed('summary.json', () => renderSummary(model));
    await timed('report.md', () => renderMarkdown(model));
    await timed('table', () => renderTable(model));
    const artifacts = CONDITIONS.flatMap((condition) =>
      Array.from({ length: replicates }, (_, replicate) => ({
        condition,
        replicate,
        output: 'model',
        path: `${condition}/artifacts/replicate_${replicate}/model.json`,
        bytes: 1000,
        sha256: String(replicate % 10).repeat(64),
        image: undefined,
      })),
    );
    const dossier = { ...dossierOf(model), artifacts };
    await timed('ro-crate', () => renderCrate(dossier));
    const page = await timed('report.html', () => renderPage(dossier));
    const { user, system } = process.cpuUsage(usedBefore);
    cpu.push((user + system) / 1000);
    bytes = Buffer.byteLength(page);
    times.set('total', [...(times.get('total') ?? []), total]);
  }
  return { times, cpu, bytes };
}

const { times, cpu, bytes } = await measure();
console.log(
  `${metrics} metrics x ${CONDITIONS.length} conditions x ${replicates} replicates, median of ${ROUNDS}, ms`,
);
for (const [what, all] of times) console.log(`  ${what.padEnd(13)}${medianOf(all).toFixed(0).padStart(6)}`);
// On a machine that does other things too, this one says what the work costs.
console.log(`  processor    ${medianOf(cpu).toFixed(0).padStart(6)}`);
const loads = Array.from({ length: ROUNDS }, () =>
  Number(execFileSync(process.execPath, ['--input-type=module', '-e', LOAD], { encoding: 'utf8' })),
);
console.log(
  `  loading Vega, once: ${medianOf(loads).toFixed(0)}; report.html has ${(bytes / 1e6).toFixed(2)} MB`,
);

function medianOf(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}
