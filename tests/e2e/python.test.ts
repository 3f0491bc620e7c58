import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Workspace, workspace } from '../support/workspace.ts';

const STEPS = `from crystallize import Artifact, pipeline_step
from shared.gain import GAIN
import local

@pipeline_step()
def publish(data, ctx, out: Artifact, scale=1):
    print('publishing')
    out.write({'sum': sum(data) * scale * GAIN + local.OFFSET})
`;

const FILES = {
  'tools/python': '#!/bin/sh\nexec python3 "$@"\n',
  'shared/gain.py': 'from . import deep\nGAIN = deep.VALUE\n',
  'shared/deep.py': 'VALUE = 1\n',
  'shared/unrelated.py': '',
  'experiments/up/config.yaml': `
datasource: { numbers: numbers }
steps: [publish]
outputs: { out: { file_name: out.json, writer: dump, loader: load } }
treatments: { doubled: { scale: 2 } }
replicates: 2
`,
  'experiments/up/datasources.py':
    'from crystallize import data_source\n@data_source\ndef numbers(ctx): return [1, 2, 3]\n',
  'experiments/up/steps.py': STEPS,
  'experiments/up/local.py': 'OFFSET = 0\n',
  'experiments/up/outputs.py':
    'import json\ndef dump(data): return json.dumps(data)\ndef load(path): return json.loads(path.read_text())\n',
  'experiments/down/config.yaml': `
datasource: { up: up#out }
steps: [read]
hypotheses: [{ name: larger, verifier: larger, metrics: sum }]
`,
  'experiments/down/steps.ts':
    "import type { StepContext } from 'nx-experiments';\nexport const read = ({ up }: { up: { sum: number } }, ctx: StepContext) => ctx.metrics.add('sum', up.sum);\n",
  'experiments/down/verifiers.py': `from crystallize import verifier
@verifier
def larger(baseline, treatment): return {'p_value': 0.5, 'significant': treatment['sum'][0] > baseline['sum'][0]}
`,
};

const UP = ['up:experiment--baseline', 'up:experiment--doubled'];
const DOWN = ['down:experiment', 'down:experiment--baseline', 'down:experiment--doubled'];

describe('experiments in Python under Nx', () => {
  let ws: Workspace;
  beforeAll(async () => {
    ws = await workspace(FILES, { plugin: { python: './tools/python' } });
    await chmod(join(ws.root, 'tools/python'), 0o755);
    await ws.commit();
    const first = await ws.nx('run down:experiment');
    expect(first.output).toContain('publishing');
    expect(first.code).toBe(0);
    expect(first.ran).toEqual([...DOWN, ...UP].sort());
  });
  afterAll(() => ws[Symbol.asyncDispose]());

  test('leave the same bytes from run to run, and nothing else in the workspace', async () => {
    expect(await ws.read('experiments/down/results/doubled/metrics.json')).toContain('{"sum":[12]}');
    expect(await ws.read('experiments/down/results/report/summary.json')).toContain('"significant":true');
    expect(await ws.git('status', '--porcelain')).toBe('');
    const before = await ws.read('experiments/up/results/doubled/metrics.json');
    const again = await ws.nx('run down:experiment --skip-nx-cache --strategy=rerun');
    expect(again.code).toBe(0);
    expect(await ws.read('experiments/up/results/doubled/metrics.json')).toBe(before);
    expect((await ws.nx('run down:experiment')).ran).toEqual([]);
  });

  test.each<[what: string, path: string, text: string, ran: readonly string[]]>([
    ['a step', 'experiments/up/steps.py', `${STEPS}# changed\n`, UP],
    ['a module beside it', 'experiments/up/local.py', 'OFFSET = 1\n', [...UP, ...DOWN]],
    ['a shared module', 'shared/gain.py', 'from . import deep\nGAIN = deep.VALUE + 1\n', [...UP, ...DOWN]],
    ['what that imports', 'shared/deep.py', 'VALUE = 5\n', [...UP, ...DOWN]],
    [
      'a verifier',
      'experiments/down/verifiers.py',
      `${FILES['experiments/down/verifiers.py']}# changed\n`,
      DOWN,
    ],
    ['a module that none imports', 'shared/unrelated.py', 'X = 1\n', []],
    ['compiled files', 'experiments/up/__pycache__/local.cpython-311.pyc', 'compiled', []],
    // The verifiers are in Python, and Nx knows only the folder.
    ['locked versions', 'requirements.txt', 'numpy==1\n', [...UP, ...DOWN]],
    [
      'the version of the interpreter',
      'tools/python',
      '#!/bin/sh\n[ "$1" = -c ] && { python3 "$@" | sed "s/^3[.][0-9]*/3.99/"; exit; }\nexec python3 "$@"\n',
      [...UP, 'down:experiment'],
    ],
    [
      'where packages are looked for',
      'tools/python',
      '#!/bin/sh\nPYTHONPATH="$(dirname "$0")/site" exec python3 "$@"\n',
      [...UP, 'down:experiment'],
    ],
    [
      'an installed package',
      'tools/site/package-1.1.dist-info/METADATA',
      'Name: package\n',
      [...UP, 'down:experiment'],
    ],
  ])('a change of %s reruns what it reaches', async (_, path, text, ran) => {
    await ws.write(path, text);
    // Nx knows the hash of a task behind others of its batch only when those have run.
    const results = [
      await ws.nx('run-many -t experiment--baseline experiment--doubled -p up'),
      await ws.nx('run down:experiment'),
    ];
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results.flatMap((result) => result.ran).sort()).toEqual([...ran].sort());
    expect((await ws.nx('run down:experiment')).ran).toEqual([]);
  });

  test('a Python that is missing is an error that says what was tried', async () => {
    await ws.write(
      'experiments/up/config.yaml',
      `${FILES['experiments/up/config.yaml']}execution: { python: python9 }\n`,
    );
    const result = await ws.nx('run down:experiment');
    expect(result.code).toBe(1);
    expect(result.output).toContain(
      'up/baseline: no usable Python: python9 (by execution.python of experiments/up/config.yaml) was not found. Install Python 3.9 or newer',
    );
  });
});

test('a library of the workspace that is installed as it lies there is an input', async () => {
  await using ws = await workspace({
    'libraries/gain/src/gain/__init__.py': 'VALUE = 2\n',
    'experiments/lab/config.yaml': '{ datasource: { one: one }, steps: [read] }',
    'experiments/lab/datasources.py':
      'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
    'experiments/lab/steps.py':
      "from crystallize import pipeline_step\nimport gain\n@pipeline_step()\ndef read(data, ctx): ctx.metrics.add('gain', gain.VALUE)\n",
    '.nxignore': '.venv\n',
  });
  const install = `python3 -m venv --without-pip .venv && echo "$PWD/libraries/gain/src" > "$(echo .venv/lib/python3*/site-packages)/gain.pth"`;
  expect((await ws.shell(install)).code).toBe(0);
  const first = await ws.nx('run lab:experiment');
  expect(first.code).toBe(0);
  expect(first.output).not.toContain('not declared');
  await ws.commit();
  await ws.write('libraries/gain/src/gain/__init__.py', 'VALUE = 3\n');
  expect((await ws.nx('affected -t experiment')).ran).toEqual(['lab:experiment', 'lab:experiment--baseline']);
  expect(await ws.read('experiments/lab/results/baseline/metrics.json')).toContain('{"gain":[3]}');
});
