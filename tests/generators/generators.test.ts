import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Workspace, workspace } from '../support/workspace.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

let ws: Workspace;
beforeAll(async () => {
  ws = await workspace({
    '.vscode/settings.json': '{\n  // mine\n  "editor.tabSize": 2,\n}\n',
    '.gitignore': 'node_modules\n.nx\n',
    'tsconfig.base.json': readFileSync(join(REPOSITORY, 'tsconfig.base.json'), 'utf8'),
  });
});
afterAll(() => ws[Symbol.asyncDispose]());

const read = (path: string): string => readFileSync(join(ws.root, path), 'utf8');

async function generate(args: string): Promise<string> {
  const { code, output } = await ws.nx(`g nx-experiments:${args}`);
  expect({ args, code, output }).toEqual({ args, code: 0, output: expect.anything() });
  return output;
}

async function refused(args: string): Promise<string> {
  const { code, output } = await ws.nx(`g nx-experiments:${args}`);
  expect({ args, code }).toEqual({ args, code: 1 });
  return output;
}

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly uses?: string;
}

function collectStep(steps: readonly Step[]): string {
  return steps.find(({ name }) => name === 'Collect reports')?.run ?? '';
}

/** From the table of a run. */
function meanUnder(condition: string, output: string): number {
  return Number(new RegExp(`${condition} +([0-9.]+) ±`).exec(output)?.[1]);
}

/**
 * Executes a script as CI does.
 *
 * @param head what is compared with the last commit; none: the files as they are
 * @returns the comment
 */
async function collect(script: string, head = ''): Promise<string> {
  const env = `export GITHUB_STEP_SUMMARY=/dev/null NX_BASE=HEAD NX_HEAD=${head}`;
  const npx = 'npx() { local name=$1; shift; "node_modules/.bin/$name" "$@"; }';
  const { code, output } = await ws.shell(`set -e\n${env}\n${npx}\n${script}`);
  expect({ code, output }).toEqual({ code: 0, output: expect.anything() });
  return read('comment.md');
}

describe.sequential('generators', () => {
  test('init sets the workspace up, and a second time changes nothing', async () => {
    expect(await generate('init --dry-run')).toContain('.vscode/settings.json');
    expect(existsSync(join(ws.root, '.vscode/extensions.json'))).toBe(false);
    await generate('init');
    expect(read('.gitignore')).toBe(
      'node_modules\n.nx\n\n# Results of experiments\n**/experiments/**/results/\n',
    );
    expect(read('.vscode/settings.json')).toContain('// mine');
    expect(read('.vscode/settings.json')).toContain(
      '"./node_modules/nx-experiments/dist/config.schema.json": "**/experiments/**/config.{yaml,yml}"',
    );
    expect(JSON.parse(read('nx.json')).plugins).toEqual(['nx-experiments']);
    expect(await generate('init')).not.toMatch(/CREATE|UPDATE/);
  });

  test('experiment makes one that runs, from nothing and from outputs of others', async () => {
    expect(await generate('experiment producer --dry-run')).toContain(
      'CREATE experiments/producer/config.yaml',
    );
    expect(existsSync(join(ws.root, 'experiments'))).toBe(false);
    await generate('experiment producer');
    await generate('experiment bare --no-example --modules outputs --description "A \'quoted\': question?"');
    expect(await refused('experiment reader --uses producer#sumary')).toContain(
      'There is no output "producer#sumary". Did you mean "producer#summary"?',
    );
    await generate('experiment reader --uses producer#summary,bare#summary');
    expect(parse(read('experiments/reader/config.yaml')).datasource).toEqual({
      summary: 'producer#summary',
      bare_summary: 'bare#summary',
    });
    expect(read('experiments/reader/steps.ts')).toContain(
      'readonly bare_summary: Awaited<ReturnType<typeof load_summary>>;',
    );
    const { code, output } = await ws.nx('run reader:experiment');
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining('reader: What do the upstream'),
    });
    expect(output).toContain('by how much (mean_difference');
    // Twice its own scale, and what a treatment does upstream comes on top.
    expect(meanUnder('scaled', output)).toBeGreaterThan(2.2 * meanUnder('baseline', output));
  });

  test('experiment makes one in Python with the same choices', async () => {
    await generate('experiment snake --language python --modules datasources,outputs,verifiers');
    await generate('experiment snake-reader --language python --uses snake#summary,producer#summary');
    await generate('experiment snake-bare --language python --no-example');
    await generate('output snake-bare table --fileName table.csv --writer dump_csv --loader load_csv');
    expect(read('experiments/snake-bare/outputs.py')).toMatch(
      /^import json\n\n\ndef dump_csv\(value\):\n[\s\S]*\n\n\ndef load_csv\(path\):\n/,
    );
    const { code, output } = await ws.nx('run snake-reader:experiment');
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining('by how much (mean_difference'),
    });
    expect(meanUnder('scaled', output) / meanUnder('baseline', output)).toBeCloseTo(4, 2);
    // The least of all declares an output that its step does not write yet.
    expect((await ws.nx('run snake-bare:experiment')).output).toContain('is declared, but no step wrote it');
  });

  test('what it makes type-checks and passes lint', async () => {
    await ws.write(
      'tsconfig.json',
      JSON.stringify({
        extends: './tsconfig.base.json',
        compilerOptions: { noEmit: true, skipLibCheck: true },
        include: ['experiments/**/*.ts'],
      }),
    );
    const bin = (name: string): string => join(REPOSITORY, 'node_modules/.bin', name);
    execFileSync(bin('tsc'), ['-p', ws.root], { stdio: 'inherit' });
    await ws.write('biome.json', readFileSync(join(REPOSITORY, 'biome.json'), 'utf8'));
    execFileSync(bin('biome'), ['check', 'experiments'], { cwd: ws.root, stdio: 'pipe' });
  });

  test('experiment overwrites nothing', async () => {
    expect(await refused('experiment producer')).toContain('There is an experiment "producer" already');
    expect(await refused('experiment other --directory experiments/producer')).toContain('is not empty');
    expect(await refused('experiment other --directory ../out')).toContain('leads out of the workspace');
    expect(await refused('experiment other --directory experiments/other(2)')).toContain(
      'The folder "experiments/other(2)" has a "(" in its path, which Nx reads as a pattern',
    );
    expect(await refused('experiment ../out')).toContain('is no name of an experiment');
    expect(await refused('experiment other --modules stepz')).toContain('Did you mean "steps"?');
  });

  test('treatment adds a condition', async () => {
    const before = read('experiments/producer/config.yaml');
    await generate('treatment producer high --set scale=3 --set model.depth=2');
    const after = read('experiments/producer/config.yaml');
    expect(after).toBe(before.replace('the step\n', 'the step\n  high: { scale: 3, model: { depth: 2 } }\n'));
    expect(await generate('treatment producer high --set scale=3 --set model.depth=2')).toContain('already');
    expect(await refused('treatment producer high --set scale=4')).toContain(
      'has a treatment "high" already',
    );
    expect(await refused('treatment producr x')).toContain('Did you mean "producer"?');
    expect(await refused('treatment producer report')).toContain('report');
    expect(await refused('treatment producer x --set three')).toContain('must be parameter=value');
    expect(read('experiments/producer/config.yaml')).toBe(after);
    const { targets } = JSON.parse((await ws.nx('show project producer --json')).stdout);
    expect(Object.keys(targets)).toContain('experiment--high');
  });

  test('output adds a file, its writer and its loader', async () => {
    await generate('output bare table --fileName table.csv --writer dump_csv --loader load_csv');
    expect(parse(read('experiments/bare/config.yaml')).outputs.table).toEqual({
      file_name: 'table.csv',
      writer: 'dump_csv',
      loader: 'load_csv',
    });
    const outputs = read('experiments/bare/outputs.ts');
    expect(outputs).toContain('export function load_summary');
    expect(outputs).toContain('export function dump_csv');
    expect(outputs.match(/import \{ readFileSync \}/g)).toHaveLength(1);
    expect(
      await generate('output bare table --fileName table.csv --writer dump_csv --loader load_csv'),
    ).toContain('already');
    expect(await refused('output bare table --fileName other.csv')).toContain('already');
    expect(await refused('output bare escape --fileName ../x')).toContain('config/path-escapes');
  });

  test('ci writes workflows whose script collects the reports', async () => {
    await generate('ci both');
    const github = parse(read('.github/workflows/experiments.yml'));
    expect(github.permissions).toEqual({ actions: 'read', contents: 'read', 'pull-requests': 'write' });
    const steps: Step[] = github.jobs.experiments.steps;
    expect(steps.map(({ run, uses, name }) => name ?? uses ?? run)).toEqual([
      'actions/checkout@v5',
      'actions/setup-node@v6',
      'npm ci',
      // One of the experiments above is written in it.
      'actions/setup-python@v6',
      'nrwl/nx-set-shas@v5',
      'actions/cache/restore@v5',
      'npx nx affected -t experiment',
      'actions/cache/save@v5',
      'Collect reports',
      'actions/upload-artifact@v6',
      'Comment',
    ]);
    const gitlab = parse(read('.gitlab/experiments.yml')).experiments;
    expect(gitlab.script).toEqual(['npx nx affected -t experiment']);
    expect(parse(read('.gitlab-ci.yml'))).toEqual({ include: [{ local: '.gitlab/experiments.yml' }] });
    expect(await generate('ci both')).not.toMatch(/CREATE|UPDATE/);

    await ws.write('.gitlab-ci.yml', 'include: /.gitlab/experiments.yml\nx: !reference [.a, script]\n');
    expect(await generate('ci gitlab')).not.toContain('Include the jobs');
    await ws.write('.gitlab-ci.yml', '# include .gitlab/experiments.yml one day\ninclude: [other.yml]\n');
    expect(await generate('ci gitlab')).toContain('Include the jobs in .gitlab-ci.yml');
    await ws.write('.gitlab-ci.yml', 'spec: {}\n---\ninclude: [x.yml, { local: .gitlab/experiments.yml }]\n');
    expect(await generate('ci gitlab')).not.toContain('Include the jobs');

    // The workspace has one commit: everything is affected.
    const revisions = gitlab.before_script.slice(1).join('\n');
    const affected = await ws.shell(
      `set -e\nCI_COMMIT_SHA=$(git rev-parse HEAD)\n${revisions}\nnode_modules/.bin/nx show projects --affected`,
    );
    expect(affected).toEqual({ code: 0, output: expect.stringContaining('producer') });

    for (const script of [collectStep(steps), gitlab.after_script[3]]) {
      const comment = await collect(script);
      expect(comment).toMatch(/^<!-- nx-experiments -->\n## Experiments\n\n/);
      expect(comment).toContain('## reader\n\nWhat do the upstream results say?');
      expect(existsSync(join(ws.root, 'affected.json'))).toBe(false);
    }
    await ws.write('.github/workflows/experiments.yml', 'name: mine\n');
    expect(await refused('ci github')).toContain('is there already');
  });

  test('reports are taken whole, and those that do not fit are named', async () => {
    await ws.remove('.github');
    await generate('ci github');
    const script = collectStep(parse(read('.github/workflows/experiments.yml')).jobs.experiments.steps);
    const report = (text: string): string => `<details>\n${text}\n</details>\n`;
    const write = (name: string, text: string) =>
      ws.write(`experiments/${name}/results/report/report.md`, report(text));
    await write('bare', '👍'.repeat(5000));
    await write('producer', 'ü'.repeat(12_000));
    await write('reader', 'x'.repeat(30_000));
    const comment = await collect(script);
    expect(Buffer.byteLength(comment)).toBeLessThan(60_000);
    expect(comment.includes(report('ü'.repeat(12_000)))).toBe(true);
    expect(comment.includes('xxx')).toBe(false);
    expect(comment.match(/<details>/g)).toHaveLength(comment.match(/<\/details>/g)?.length ?? 0);
    expect(comment.includes('\uFFFD')).toBe(false);
    expect(comment.slice(-100)).toMatch(/\nIn the artifacts of the job, for want of space here: reader\.\n$/);
  });

  test('a change that affects no experiment is told apart from experiments without a report', async () => {
    const script = collectStep(parse(read('.github/workflows/experiments.yml')).jobs.experiments.steps);
    const head = '<!-- nx-experiments -->\n## Experiments\n\n';
    expect(await collect(script, 'HEAD')).toBe(`${head}No experiment is affected.\n`);
    await ws.shell('rm -r experiments/*/results/report');
    expect(await collect(script)).toBe(`${head}No experiment has a report: see the log of the job.\n`);
  });

  test('ci spreads the experiments over jobs', async () => {
    await ws.remove('.github');
    await ws.remove('.gitlab');
    expect(await refused('ci both --jobs=0')).toMatch(/jobs/);
    expect(await refused('ci both --levels=4')).toContain('"--levels" belongs to "--jobs": give both.');
    await generate('ci both --jobs=4');
    expect(Object.keys(parse(read('.github/workflows/experiments.yml')).jobs)).toEqual([
      'plan',
      'level-1',
      'level-2',
      'level-3',
      'experiments',
    ]);
    expect(parse(read('.github/workflows/experiments-level.yml')).on).toHaveProperty('workflow_call');
    expect(parse(read('.gitlab/experiments-jobs.yml'))).toHaveProperty('.experiments-job');
    expect(await generate('ci both --jobs=4')).not.toMatch(/CREATE|UPDATE/);
    expect(await refused('ci both --jobs=5')).toContain('experiments.yml is there already');
  });

  test('names of nx.json are used: the target as it is, the branch without its remote', async () => {
    await ws.remove('.github');
    const nxJson = read('nx.json');
    const plugins = [{ plugin: 'nx-experiments', options: { targetName: 'bench' } }];
    await ws.write(
      'nx.json',
      JSON.stringify({ ...JSON.parse(nxJson), plugins, defaultBase: 'origin/develop' }),
    );
    await generate('ci github');
    expect(await generate('experiment later --dry-run')).toContain('Run it: nx run later:bench');
    await ws.write('nx.json', nxJson);
    const { on, jobs } = parse(read('.github/workflows/experiments.yml'));
    expect(on.push.branches).toEqual(['develop']);
    expect(jobs.experiments.steps).toContainEqual({ run: 'npx nx affected -t bench' });
  });

  test('every generator and option is described', async () => {
    const generators = JSON.parse(
      readFileSync(join(REPOSITORY, 'plugin/generators.json'), 'utf8'),
    ).generators;
    for (const [name, { schema, description }] of Object.entries<{ schema: string; description: string }>(
      generators,
    )) {
      expect(description.length, name).toBeGreaterThan(20);
      const { properties, examples } = JSON.parse(readFileSync(join(REPOSITORY, 'plugin', schema), 'utf8'));
      expect(examples.length, name).toBeGreaterThan(0);
      for (const [option, property] of Object.entries<{ description?: string }>(properties)) {
        expect(property.description?.length ?? 0, `${name} --${option}`).toBeGreaterThan(10);
      }
    }
    expect((await ws.nx('g nx-experiments:experiment --help')).output).toContain('--uses');
  });

  test('the migration gives a workspace of 0.1.0 what init gives a new one', async () => {
    await ws.write('.gitignore', 'node_modules\n.nx\n');
    await ws.write(
      'migrations.json',
      JSON.stringify({
        migrations: [
          {
            package: 'nx-experiments',
            name: 'set-up-workspace',
            version: '0.2.0',
            implementation: './dist/migrations/set-up-workspace/migration.cjs',
          },
        ],
      }),
    );
    const { code, output } = await ws.nx('migrate --run-migrations --skip-install', { NX_USE_LOCAL: 'true' });
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('set-up-workspace') });
    expect(read('.gitignore')).toContain('**/experiments/**/results/');
  });
});
