import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isRunRecord } from '../support/run-records.ts';
import { workspace } from '../support/workspace.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Bytes of all results but the logs. */
function resultsIn(root: string): Record<string, string> {
  const files = readdirSync(join(root, 'experiments'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\/results\/.*\.\w+$/.test(file) && !isRunRecord(file))
    .sort();
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(join(root, 'experiments', file), 'base64')]),
  );
}

test('a program leaves the same bytes as Nx does, and takes over what Nx has finished', async () => {
  const files = execFileSync('git', ['ls-files', 'experiments/producer', 'experiments/consumer'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  const texts = files
    .trim()
    .split('\n')
    .map((file) => [file, readFileSync(join(REPOSITORY, file), 'utf8')]);
  await using ws = await workspace(Object.fromEntries(texts));
  const { code, output } = await ws.nx('run-many -t experiment');
  expect({ code, output }).toEqual({ code: 0, output: expect.anything() });
  const byNx = resultsIn(ws.root);
  expect(Object.keys(byNx).length).toBeGreaterThan(30);

  const script = `
    const { ExperimentGraph } = await import('nx-experiments');
    const results = await ExperimentGraph.fromYaml('experiments/consumer').run();
    console.log(JSON.stringify(results.consumer.provenance.conditions.high_lr));`;
  const run = (): { reused: number; ran: number } =>
    JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: ws.root,
        encoding: 'utf8',
      }),
    );
  expect(run()).toMatchObject({ reused: 12, ran: 0 });
  expect(resultsIn(ws.root)).toEqual(byNx);

  for (const name of ['producer', 'consumer']) {
    rmSync(join(ws.root, 'experiments', name, 'results'), { recursive: true });
  }
  rmSync(join(ws.root, '.nx/experiments'), { recursive: true });
  expect(run()).toMatchObject({ reused: 0, ran: 12 });
  expect(resultsIn(ws.root)).toEqual(byNx);
});
