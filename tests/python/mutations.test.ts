import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PythonImportScanner, parseImports } from '../../plugin/build/io/python/imports.js';
import { Lab } from '../support/engine.ts';

const VENV = 'tools/python';
const SITE = 'tools/site';

/**
 * A producer in Python that uses all that its code can reach, a consumer in Python and one in TypeScript, and a bystander.
 * After each change a run must execute exactly the conditions of the table.
 */
const FILES: Record<string, unknown> = {
  [VENV]: `#!/bin/sh\nPYTHONPATH="$(dirname "$0")/site" exec python3 "$@"\n`,
  [`${SITE}/direct/__init__.py`]: 'from indirect import VALUE\n',
  [`${SITE}/direct-1.0.dist-info/METADATA`]:
    'Name: direct\nRequires-Dist: other-name (>=1)\nRequires-Dist: never; extra == "x"\n',
  [`${SITE}/indirect.py`]: 'VALUE = 1\n',
  [`${SITE}/other_name-1.0.dist-info/METADATA`]: 'Name: other-name\n',
  [`${SITE}/renamed/__init__.py`]: 'VALUE = 1\n',
  [`${SITE}/Distribution_X-2.0.dist-info/RECORD`]: 'renamed/__init__.py,,\n',
  [`${SITE}/vendor/one.py`]: 'VALUE = 1\n',
  [`${SITE}/vendor/two.py`]: 'VALUE = 1\n',
  [`${SITE}/vendor_one-1.0.dist-info/RECORD`]: 'vendor/one.py,,\n',
  [`${SITE}/vendor_two-1.0.dist-info/RECORD`]: 'vendor/two.py,,\n',
  [`${SITE}/unused-1.0.dist-info/METADATA`]: 'Name: unused\n',
  'shared/__init__.py': '',
  'shared/near.py': 'from .far import VALUE\n',
  'shared/far.py': 'VALUE = 1\n',
  'shared/late.py': 'VALUE = 1\n',
  'shared/unrelated.py': 'VALUE = 1\n',
  'src/library/__init__.py': '',
  'src/library/core.py': 'VALUE = 1\n',
  'requirements.txt': 'direct==1.0\n',
  'producer/config.yaml': {
    datasource: { raw: 'raw' },
    steps: ['publish'],
    outputs: { out: { file_name: 'out.json', writer: 'dump', loader: 'load' } },
    inputs: ['data.txt'],
    execution: { python: `{workspaceRoot}/${VENV}` },
  },
  'producer/data.txt': '1',
  'producer/unlisted.txt': '1',
  'producer/local.py': 'VALUE = 1\n',
  'producer/plugin.py': 'VALUE = 1\n',
  'producer/notes.md': 'Nothing.\n',
  'producer/datasources.py': `from crystallize import data_source
from pathlib import Path
@data_source
def raw(ctx): return int(Path('data.txt').read_text()) + int(Path('unlisted.txt').read_text())
`,
  'producer/steps.py': `import importlib, direct, renamed, vendor.one, vendor.two
from crystallize import Artifact, pipeline_step
from shared import near
from library.core import VALUE as library
import local
NAMES = ['plugin']
@pipeline_step()
def publish(data, ctx, out: Artifact):
    from shared.late import VALUE as late
    plugin = importlib.import_module(NAMES[0])
    out.write([data, near.VALUE, local.VALUE, late, plugin.VALUE, direct.VALUE, renamed.VALUE, library])
`,
  'producer/outputs.py': `import json
def dump(data): return json.dumps(data)
def load(path): return json.loads(path.read_text())
`,
  'producer/verifiers.py': '',
  'python-reader/config.yaml': {
    datasource: { up: 'producer#out' },
    steps: ['read'],
    execution: { python: `{workspaceRoot}/${VENV}` },
  },
  'python-reader/steps.py': `from crystallize import pipeline_step
@pipeline_step()
def read(data, ctx): ctx.metrics.add('sum', sum(data['up']))
`,
  'node-reader/config.yaml': { datasource: { up: 'producer#out' }, steps: ['read'] },
  'node-reader/steps.ts': `import type { StepContext } from 'nx-experiments';
export const read = ({ up }: { up: number[] }, ctx: StepContext) => ctx.metrics.add('sum', up.reduce((a, b) => a + b));
`,
  'bystander/config.yaml': { datasource: { one: 'one' }, steps: ['read'] },
  'bystander/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
  'bystander/steps.py': `from crystallize import pipeline_step
@pipeline_step()
def read(data, ctx): pass
`,
};

let lab: Lab;

/** The conditions that a run executes. */
async function executed(): Promise<string[]> {
  const { events, outcomes } = await lab.run({ store: 'store' });
  expect(outcomes.map(({ status, failures }) => [status, failures])).toEqual(
    outcomes.map(() => ['succeeded', []]),
  );
  const ran = events.flatMap((event) =>
    event.type === 'replicate-finished' ? [event.planned.experiment] : [],
  );
  return [...new Set(ran)].sort();
}

const ALL_READERS = ['node-reader', 'producer', 'python-reader'];
const PYTHON = ['bystander', 'producer', 'python-reader'];

beforeAll(async () => {
  lab = new Lab(FILES);
  const { chmodSync } = await import('node:fs');
  chmodSync(join(lab.root, VENV), 0o755);
  expect(await executed()).toEqual(['bystander', ...ALL_READERS]);
  expect(await executed()).toEqual([]);
});
afterAll(() => lab[Symbol.dispose]());

/** Every change comes to another artifact, but for those that leave the results as they are. */
describe.each<[what: string, change: () => void, runs: readonly string[]]>([
  ['a step', () => append('producer/steps.py', '# changed'), ['producer']],
  ['a module beside it', () => lab.write({ 'producer/local.py': 'VALUE = 2\n' }), ALL_READERS],
  ['a module imported by its name', () => lab.write({ 'producer/plugin.py': 'VALUE = 3\n' }), ALL_READERS],
  ['a package of the workspace', () => append('shared/__init__.py', '# changed'), ['producer']],
  ['a module of it', () => append('shared/near.py', '# changed'), ['producer']],
  ['what that imports relatively', () => lab.write({ 'shared/far.py': 'VALUE = 4\n' }), ALL_READERS],
  ['what a step imports when it runs', () => lab.write({ 'shared/late.py': 'VALUE = 5\n' }), ALL_READERS],
  [
    'a package in the src of its project',
    () => lab.write({ 'src/library/core.py': 'VALUE = 2\n' }),
    ALL_READERS,
  ],
  ['a module that none imports', () => append('shared/unrelated.py', '# changed'), []],
  ['a file beside it', () => append('producer/notes.md', 'More.'), []],
  ['a verifier', () => append('producer/verifiers.py', '# changed'), []],
  ['a declared input', () => lab.write({ 'producer/data.txt': '6' }), ALL_READERS],
  ['a file that is read and not declared', () => lab.write({ 'producer/unlisted.txt': '7' }), ALL_READERS],
  ['a file of locked versions', () => append('requirements.txt', 'x==1'), PYTHON],
  [
    'a new file of locked versions',
    () => lab.write({ 'producer/uv.lock': 'version = 1\n' }),
    ['producer', 'python-reader'],
  ],
  [
    'the version of an imported package',
    () => rename(`${SITE}/direct-1.0.dist-info`, `${SITE}/direct-1.1.dist-info`),
    ['producer'],
  ],
  [
    'the version of what that needs',
    () => rename(`${SITE}/other_name-1.0.dist-info`, `${SITE}/other_name-1.1.dist-info`),
    ['producer'],
  ],
  [
    'the version of a package with another name',
    () => rename(`${SITE}/Distribution_X-2.0.dist-info`, `${SITE}/Distribution_X-3.0.dist-info`),
    ['producer'],
  ],
  [
    'the version of one of two packages that share a name',
    () => rename(`${SITE}/vendor_one-1.0.dist-info`, `${SITE}/vendor_one-1.1.dist-info`),
    ['producer'],
  ],
  [
    'the version of the other',
    () => rename(`${SITE}/vendor_two-1.0.dist-info`, `${SITE}/vendor_two-1.1.dist-info`),
    ['producer'],
  ],
  [
    'the version of a package that none imports',
    () => rename(`${SITE}/unused-1.0.dist-info`, `${SITE}/unused-1.1.dist-info`),
    [],
  ],
  // The consumer in Python reads by it; that in TypeScript by what the file's name tells.
  ['a loader', () => append('producer/outputs.py', '\nload_again = load\n'), ['producer', 'python-reader']],
  [
    'an own stand-in for the loader',
    () =>
      lab.write({
        'node-reader/outputs.ts':
          "import { readFileSync } from 'node:fs';\nexport const load = (path: string) => JSON.parse(readFileSync(path, 'utf8'));\n",
      }),
    ['node-reader'],
  ],
  [
    'the version of the interpreter',
    () =>
      lab.write({
        [VENV]: `#!/bin/sh
[ "$1" = -c ] && { PYTHONPATH="$(dirname "$0")/site" python3 "$@" | sed 's/"version": .3, [0-9]*/"version": [3, 99/'; exit; }
PYTHONPATH="$(dirname "$0")/site" exec python3 "$@"
`,
      }),
    ['producer', 'python-reader'],
  ],
])('%s', (_, change, runs) => {
  test(`runs ${runs.join(', ') || 'nothing'}`, async () => {
    change();
    expect(await executed()).toEqual([...runs].sort());
    expect(await executed()).toEqual([]);
  });
});

test('every form of import is found', () => {
  const text = `
import a, b.c as d; import e
from f import g
from h.i import (
    j,  # why (and how)
    k as l,
)
from . import m
from ..n import *
from o import p, \\
    q
if x: import r
def f():
    from s import t
import größe
imported = 1
from u import(v)
from .import w
try: from x import (
    y)
except ImportError: import z
`;
  expect(parseImports(text).map(({ level, module, names }) => [level, module, ...names])).toEqual([
    [0, 'a'],
    [0, 'b.c'],
    [0, 'e'],
    [0, 'f', 'g'],
    [0, 'h.i', 'j', 'k'],
    [1, '', 'm'],
    [2, 'n'],
    [0, 'o', 'p', 'q'],
    [0, 'r'],
    [0, 's', 't'],
    [0, 'größe'],
    [0, 'u', 'v'],
    [1, '', 'w'],
    [0, 'x', 'y'],
    [0, 'z'],
  ]);
  expect(parseImports(text.replaceAll('\n', '\r\n'))).toEqual(parseImports(text));
});

test('imports are followed without being run, into the src of a project too', () => {
  const scanner = new PythonImportScanner(lab.root);
  const { files } = scanner.reach([join(lab.root, 'producer/steps.py')], join(lab.root, 'producer'));
  expect(files).toEqual([
    'producer/local.py',
    'producer/steps.py',
    'shared/__init__.py',
    'shared/far.py',
    'shared/late.py',
    'shared/near.py',
    'src/library/__init__.py',
    'src/library/core.py',
  ]);
});

test('packages around the folder count, and a package goes before a folder of its name', () => {
  using at = new Lab({
    'lab/__init__.py': '',
    'lab/one/__init__.py': '',
    'lab/one/steps.py': 'from library import core\nfrom plain import part\n',
    'lab/one/library/core.py': '',
    'library/__init__.py': '',
    'library/core.py': '',
    'plain/part.py': '',
  });
  const scanner = new PythonImportScanner(at.root);
  const { files } = scanner.reach([join(at.root, 'lab/one/steps.py')], join(at.root, 'lab/one'));
  expect(files).toEqual([
    'lab/__init__.py',
    'lab/one/__init__.py',
    'lab/one/steps.py',
    'library/__init__.py',
    'library/core.py',
    'plain/part.py',
  ]);
});

function append(path: string, text: string): void {
  lab.write({ [path]: `${lab.read(path)}${text}\n` });
}

function rename(from: string, to: string): void {
  mkdirSync(join(lab.root, to, '..'), { recursive: true });
  renameSync(join(lab.root, from), join(lab.root, to));
}
