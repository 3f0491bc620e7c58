/**
 * The benchmark suite: our shapes, side by side with what a user could use instead.
 *
 *     npm run bench                             # everything; writes docs/performance.md
 *     npm run bench -- --only B1,B3 --quick     # some shapes, smaller and once; prints the tables and writes nothing
 *     npm run bench -- --only B1 --write         # a page of these shapes alone
 *     npm run bench -- --page performance-node24 # writes docs/performance-node24.md
 */
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare } from './measure.ts';
import { measureBusy, measureInference, measureLoad, measureMemory, measureSteps } from './parts.ts';
import { type Measured, render, renderDocument } from './report.ts';
import { shapeOf } from './shapes.ts';
import { plainNx } from './tools/nx.ts';
import { installTools, otherTools } from './tools/others.ts';
import { ours, oursWithoutNx } from './tools/ours.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
    page: { type: 'string', default: 'performance' },
    'ours-only': { type: 'boolean', default: false },
  },
});
const wanted = new Set(values.only?.split(',') ?? ['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'memory']);
const complete =
  values.only === undefined && values.rounds === undefined && !values.quick && !values['ours-only'];
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const scale = values.quick ? 0.1 : 1;

const folder = realpathSync(
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nx-experiments-bench-')),
);
const measured: Measured = {
  rounds,
  scale,
  load: loadavg()[0] ?? 0,
  startedAt: new Date(),
  graphs: new Map(),
};
try {
  if (wanted.has('B2')) measured.steps = measureSteps(rounds);
  if (!values['ours-only']) installTools();
  const competitors = values['ours-only'] ? [] : otherTools();
  const contenders = [
    plainNx(),
    plainNx({ lean: true }),
    ours(),
    ours({ typed: true }),
    oursWithoutNx,
    ...competitors,
    ...(['plugins in its process', 'daemon on'] as const).flatMap((mode) => [
      plainNx({ mode }),
      ours({ mode }),
    ]),
  ];
  for (const name of ['B1', 'B3', 'B4'] as const) {
    if (!wanted.has(name)) continue;
    const shape = shapeOf(name, scale);
    // What a compiler costs is seen at two hundred experiments.
    const running = contenders.filter((contender) => name === 'B3' || !contender.name.includes('TypeScript'));
    measured.graphs.set(name, { shape, samples: compare(shape, running, rounds, folder) });
  }
  if (wanted.has('B5')) measured.busy = await measureBusy(rounds, folder);
  if (wanted.has('B6')) measured.inference = measureInference(rounds, folder, scale);
  if (wanted.has('memory')) {
    measured.loadMs = measureLoad(2 * rounds);
    measured.memory = (['B3', 'B4'] as const).map((name) => ({
      name,
      plain: measureMemory(plainNx(), shapeOf(name, scale), folder),
      ours: measureMemory(ours(), shapeOf(name, scale), folder),
    }));
  }
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
console.log(render(measured));
if (complete || values.write) {
  const page = `docs/${values.page}.md`;
  writeFileSync(fileURLToPath(new URL(`../${page}`, import.meta.url)), renderDocument(measured));
  console.log(`Written to ${page}.`);
}
