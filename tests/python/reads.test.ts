import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Lab, type Ran } from '../support/engine.ts';

const SOURCE = 'from crystallize import data_source\n@data_source\ndef none(ctx): return 0\n';

function step(name: string, body: string): string {
  return `from crystallize import *\n@pipeline_step()\ndef ${name}(data, ctx):\n${body.replace(/^(?=.)/gm, '    ')}\n`;
}

function lab(files: Readonly<Record<string, unknown>>, config: Record<string, unknown> = {}): Lab {
  return new Lab({
    'lab/config.yaml': { datasource: { none: 'none' }, steps: ['step'], ...config },
    'lab/datasources.py': SOURCE,
    ...files,
  });
}

function executed({ events, outcomes }: Ran): string[] {
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
  return events.flatMap((event) => (event.type === 'replicate-finished' ? [event.planned.experiment] : []));
}

function python(at: Lab, code: string): string {
  return execFileSync('python3', ['-c', code], { cwd: at.root, encoding: 'utf8' }).trim();
}

test('a database of SQLite is read like a file, by its path or its URI', async () => {
  const write = (value: number): string =>
    `import sqlite3
with sqlite3.connect('lab/my data.db') as db:
    db.execute('create table if not exists t (v)'); db.execute('insert into t values (${value})')`;
  using at = lab({
    'lab/steps.py': step(
      'step',
      `import sqlite3
for name, uri in ('my data.db', False), ('file:my%20data.db?mode=ro', True):
    ctx.metrics.add('sum', sqlite3.connect(name, uri=uri).execute('select sum(v) from t').fetchone()[0])
sqlite3.connect(':memory:')`,
    ),
  });
  python(at, write(1));
  expect(executed(await at.run({ store: 'store' }))).toEqual(['lab']);
  expect(executed(await at.run({ store: 'store' }))).toEqual([]);
  python(at, write(2));
  expect(executed(await at.run({ store: 'store' }))).toEqual(['lab']);
  expect(at.metric('lab/baseline', 'sum')).toEqual([3, 3]);
});

test('modules and libraries in native code are read', async () => {
  using at = lab({
    'lab/steps.py': step(
      'step',
      `import ctypes, importlib.util
spec = importlib.util.spec_from_file_location('_queue', 'native.so')
importlib.util.module_from_spec(spec)
ctypes.CDLL('./library.so')`,
    ),
  });
  for (const name of ['native', 'library'])
    python(at, `import _queue, shutil; shutil.copy(_queue.__file__, 'lab/${name}.so')`);
  expect(executed(await at.run({ store: 'store' }))).toEqual(['lab']);
  expect(executed(await at.run({ store: 'store' }))).toEqual([]);
  for (const name of ['native', 'library']) {
    appendFileSync(join(at.root, `lab/${name}.so`), 'built again');
    expect(executed(await at.run({ store: 'store' }))).toEqual(['lab']);
  }
});

test('a workspace may lie where Python is installed', async () => {
  using at = lab(
    {
      'lab/data.txt': '1',
      'lab/steps.py': step('step', "ctx.metrics.add('value', int(open('data.txt').read()))"),
    },
    { execution: { python: '{workspaceRoot}/bin/python' } },
  );
  python(at, "import venv; venv.create('.', symlinks=True)");
  expect(executed(await at.run({ store: 'store' }))).toEqual(['lab']);
  at.write({ 'lab/data.txt': '2' });
  expect(executed(await at.run({ store: 'store' }))).toEqual(['lab']);
  expect(at.metric('lab/baseline', 'value')).toEqual([2]);
});

test('the class of what a loader unpickles is read by the consumer, also where the producer has loaded it before', async () => {
  const producer = (value: number): string =>
    `${step('fit', "ctx.artifacts.add('model.pkl', __import__('pickle').dumps(Model()))")}
class Model:
    def predict(self): return ${value}
`;
  using at = new Lab({
    'producer/config.yaml': {
      datasource: { none: 'none' },
      steps: ['fit'],
      outputs: { model: { file_name: 'model.pkl', loader: 'load' } },
    },
    'producer/datasources.py': SOURCE,
    'producer/steps.py': producer(1),
    'producer/outputs.py': 'import pickle\ndef load(path): return pickle.loads(path.read_bytes())\n',
    'consumer/config.yaml': { datasource: { model: 'producer#model' }, steps: ['use'] },
    'consumer/steps.py': step('use', "ctx.metrics.add('value', data['model'].predict())"),
  });
  expect(executed(await at.run({ store: 'store' }))).toEqual(['producer', 'consumer']);
  expect(executed(await at.run({ store: 'store' }))).toEqual([]);
  // The artifact stays the same: it holds no code.
  at.write({ 'producer/steps.py': producer(2) });
  expect(executed(await at.run({ store: 'store' }))).toEqual(['producer', 'consumer']);
  expect(at.metric('consumer/baseline', 'value')).toEqual([2]);
});

test('where imports look is part of the key', async () => {
  using at = lab({
    'first/library.py': 'VALUE = 1\n',
    'second/library.py': 'VALUE = 2\n',
    'lab/steps.py': step('step', "import library\nctx.metrics.add('value', library.VALUE)"),
  });
  const run = async (place: string): Promise<string[]> => {
    const before = process.env.PYTHONPATH;
    process.env.PYTHONPATH = join(at.root, place);
    try {
      return executed(await at.run({ store: 'store' }));
    } finally {
      if (before === undefined) delete process.env.PYTHONPATH;
      else process.env.PYTHONPATH = before;
    }
  };
  expect(await run('first')).toEqual(['lab']);
  expect(await run('first')).toEqual([]);
  expect(await run('second')).toEqual(['lab']);
  expect(at.metric('lab/baseline', 'value')).toEqual([2]);
});

test('a class that producer and consumer import is one, and a module that means another in each of them is two', async () => {
  using at = new Lab({
    'model.py': 'class Model: pass\n',
    'helper.py': 'VALUE = 1\n',
    'producer/config.yaml': {
      datasource: { none: 'none' },
      steps: ['fit'],
      outputs: { model: { file_name: 'model.pkl', loader: 'load' } },
    },
    'producer/datasources.py': SOURCE,
    'producer/steps.py': `from model import Model\n${step('fit', "ctx.artifacts.add('model.pkl', __import__('pickle').dumps(Model()))")}`,
    'producer/outputs.py':
      'import pickle, helper\ndef load(path): return pickle.loads(path.read_bytes()), helper.VALUE\n',
    'consumer/config.yaml': { datasource: { up: 'producer#model' }, steps: ['use'], replicates: 2 },
    'consumer/helper.py': 'VALUE = 2\n',
    'consumer/steps.py': step(
      'use',
      `import helper
from model import Model
model, value = data['up']
ctx.metrics.add('is', isinstance(model, Model))
ctx.metrics.add('values', [value, helper.VALUE])`,
    ),
  });
  executed(await at.run());
  expect(at.metric('consumer/baseline', 'is')).toEqual([1, 1]);
  expect(at.metric('consumer/baseline', 'values')).toEqual([1, 2, 1, 2]);
});
