import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveOptions } from '../../plugin/nx/options.ts';
import { resolveStore } from '../../plugin/nx/store-options.ts';
import { problemsOf } from '../support/configs.ts';
import { withoutNumpy } from '../support/python.ts';
import { type Workspace, workspace } from '../support/workspace.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SLURM = 'needs Slurm: tests/scale/slurm.test.ts runs it';

/** Commands that no test executes, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npx vitest run tests/store/faults.test.ts': 'is part of this run',
  'npx vitest run tests/contracts': 'is part of this run',
  'npm run test:faults': 'takes minutes: tests/faults/kill-nine.test.ts runs a few of its kills',
  'npx nx add nx-experiments': 'asks the registry: tests/package/install.mjs does so',
  'npm init --yes': 'makes a package.json: tests/python/migration.test.ts begins behind it',
  'npm install --save-dev nx nx-experiments': 'asks the registry: tests/package/install.mjs does so',
  'npx nx run-many -t experiment': 'is run by tests/python/migration.test.ts',
  'npx nx-experiments submit --engine slurm consumer --time 10:00': SLURM,
  'npx nx-experiments submit --engine slurm consumer --dry-run': SLURM,
  'npx nx-experiments status': SLURM,
  'npx nx-experiments collect --wait': SLURM,
  'npx nx-experiments cancel': SLURM,
  'npm ci': 'reinstalls; a line of .ci/run',
  'npm test': 'runs this test; a line of .ci/run',
};

/** The experiments in Python of this repository. */
const NEEDS_NUMPY = /neighbours-/;

/** npx of an installed command, without the half second in which npx finds that it is installed. */
const NPX = 'npx() { local name=$1; shift; "node_modules/.bin/$name" "$@"; }';

interface Snippet {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** The reference of the API is generated from the docstrings. */
const PAGES = ['README.md', 'plugin/README.md', ...filesOf('docs/**/*.md')].filter(
  (page) => !page.startsWith('docs/reference/api/'),
);
const SNIPPETS: readonly Snippet[] = PAGES.flatMap((page) =>
  [...read(page).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    page,
    language,
    text,
  })),
);

/** Without their comments; `a && b` are two. */
const COMMANDS = of('sh').flatMap(({ page, text }) =>
  text
    .trim()
    .split('\n')
    .flatMap((line) => line.replace(/ +#.*/, '').split(' && '))
    .map((command) => ({ page, command })),
);

let ws: Workspace;
const printed = new Map<string, string>();

beforeAll(async () => {
  const files = ['experiments/**/*.*', 'libs/**/*.*'].flatMap(filesOf);
  ws = await workspace({
    ...Object.fromEntries(files.map((file) => [file, read(file)])),
    ...Object.fromEntries(
      SNIPPETS.filter(({ page }) => page === 'plugin/README.md').flatMap(({ text }) => {
        const path = pathOf(text);
        return path === undefined ? [] : [[path, text]];
      }),
    ),
  });
});
afterAll(() => ws[Symbol.asyncDispose]());

describe('every command succeeds:', () => {
  const commands = new Set(
    COMMANDS.map(({ command }) => command).filter((command) => !(command in ELSEWHERE)),
  );
  const possible = [...commands].filter((command) => !(withoutNumpy && NEEDS_NUMPY.test(command)));
  test.skipIf(withoutNumpy)(`those that need NumPy${withoutNumpy ?? ''}`, () => {
    expect(possible.filter((command) => NEEDS_NUMPY.test(command))).not.toEqual([]);
  });
  test.each(possible)('%s', async (command) => {
    const { code, output } = await ws.shell(`${NPX}\n${command}`);
    expect({ code, output }).toEqual({ code: 0, output: expect.anything() });
    printed.set(command, output);
  });
});

test('every table is what its command prints, but for what it leaves out with a …', () => {
  const tables = of('text').filter(({ text }) => text.includes('vs baseline'));
  expect(tables.length).toBeGreaterThan(1);
  for (const { page, text } of tables) {
    if (withoutNumpy && NEEDS_NUMPY.test(text)) continue;
    const output = printed.get(`npx nx run ${text.split(':')[0]}:experiment`) ?? '';
    for (const part of text.split(/^ *…\n/m)) expect(output, page).toContain(part.trimEnd());
  }
});

test('what is not executed here is a line of .ci/run, or is listed with its reason', () => {
  const commands = COMMANDS.map(({ command }) => command);
  expect(Object.keys(ELSEWHERE).filter((command) => !commands.includes(command))).toEqual([]);
  const ci = read('.ci/run').split('\n');
  const first = COMMANDS.slice(0, 3).map(({ command }) => command);
  expect(first).toEqual(['npm ci', 'npx nx run consumer:experiment', 'npm test']);
  expect(ci.filter((line) => first.includes(line))).toEqual(first);
});

test('every config.yaml is correct', () => {
  const configs = of('yaml');
  expect(configs.length).toBeGreaterThan(5);
  for (const { page, text } of configs) {
    const needed = ['datasource: { raw: load }', 'steps: [run]'].filter(
      (line) => !new RegExp(`^${line.split(':')[0]}:`, 'm').test(text),
    );
    expect(problemsOf([text, ...needed, ''].join('\n')), page).toEqual([]);
  }
});

test('every nx.json is accepted', () => {
  const settings = of('json');
  // Some set defaults of targets alone.
  const plugins = settings.flatMap(({ text }) => JSON.parse(text).plugins ?? []);
  expect(plugins.length).toBeGreaterThan(0);
  for (const plugin of plugins) {
    const { options } = typeof plugin === 'string' ? { options: {} } : plugin;
    expect(resolveOptions(options).targetName).toBe('experiment');
    expect(resolveStore(ROOT, options, {}).folder).toBe(join(ROOT, '.nx/experiments'));
  }
});

test('every module type-checks', async () => {
  const modules = of('ts').map(({ text }) => ({
    text,
    path: pathOf(text) ?? 'a module that does not name its path',
  }));
  for (const { path, text } of modules) await ws.write(path, text);
  const paths = modules.map(({ path }) => path);
  const options = {
    noEmit: true,
    allowImportingTsExtensions: true,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  await ws.write(
    'tsconfig.json',
    JSON.stringify({ extends: join(ROOT, 'tsconfig.base.json'), compilerOptions: options, files: paths }),
  );
  expect(await ws.shell('node_modules/.bin/tsc -p .')).toEqual({ code: 0, output: '' });
});

test('every snippet is of a language that is checked here', () => {
  const checked = ['sh', 'yaml', 'json', 'ts'];
  // Output and pictures; the tables among the output are checked above, diagnostics by tests/docs/reference.test.ts.
  const shown = ['text', 'mermaid'];
  const others = SNIPPETS.filter(({ language }) => ![...checked, ...shown].includes(language));
  expect(others).toEqual([]);
});

function of(language: string): Snippet[] {
  return SNIPPETS.filter((snippet) => snippet.language === language);
}

/** The path that the comment in the first line names. */
function pathOf(text: string): string | undefined {
  return /^(?:#|\/\/) (experiments\/\S+)\n/.exec(text)?.[1];
}

function filesOf(glob: string): string[] {
  return execFileSync('git', ['ls-files', '--', `:(glob)${glob}`], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '');
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
