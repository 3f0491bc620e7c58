import { describe, expect, test } from 'vitest';
import { Lab } from '../support/engine.ts';
import { PYTHON_WITH_NUMPY, withoutNumpy } from '../support/python.ts';

const PYTHON_OUTPUTS = `import json
def dump(data): return json.dumps(data)
def load(path): return {'by': 'python', **json.loads(path.read_text())}
def dump_text(text): return text
load_text_of_mine = lambda path: path.read_text()
def dump_any(data): return data
def load_any(path): return path.read_bytes()
`;

const NODE_OUTPUTS = `import { readFileSync } from 'node:fs';
export const dump = (data: unknown) => JSON.stringify(data);
export const load = (path: string) => ({ by: 'node', ...JSON.parse(readFileSync(path, 'utf8')) });
export const dump_any = (data: string) => data;
export const load_any = (path: string) => readFileSync(path);
`;

/** A producer of one file with this text, in a language. */
function producer(language: 'python' | 'node', fileName: string, text: string, loader = 'load_any') {
  const outputs = { out: { file_name: fileName, writer: 'dump_any', loader } };
  const config = { datasource: { text: { text: { value: text } } }, steps: ['publish'], outputs };
  return language === 'python'
    ? {
        'producer/config.yaml': config,
        'producer/datasources.py':
          'from crystallize import data_source\n@data_source\ndef text(ctx, value): return value\n',
        'producer/outputs.py': PYTHON_OUTPUTS,
        'producer/steps.py':
          'from crystallize import Artifact, pipeline_step\n@pipeline_step()\ndef publish(data, ctx, out: Artifact): out.write(data)\n',
      }
    : {
        'producer/config.yaml': config,
        'producer/datasources.ts':
          "import { defineDatasource } from 'nx-experiments';\nexport const text = defineDatasource({ value: '' }, ({ value }) => value);\n",
        'producer/outputs.ts': NODE_OUTPUTS,
        'producer/steps.ts':
          "import type { StepContext } from 'nx-experiments';\nexport const publish = (data: string, ctx: StepContext) => ctx.artifact('out').write(data);\n",
      };
}

/** A consumer that writes what it reads as JSON. */
function consumer(language: 'python' | 'node', outputs?: string) {
  const config = {
    datasource: { up: 'producer#out' },
    steps: ['show'],
    outputs: { seen: { file_name: 'seen.json', writer: 'dump_json' } },
  };
  return language === 'python'
    ? {
        'consumer/config.yaml': config,
        'consumer/steps.py': `from crystallize import Artifact, pipeline_step
@pipeline_step()
def show(data, ctx, seen: Artifact):
    value = data['up']
    seen.write(list(value) if isinstance(value, bytes) else value)
`,
        ...(outputs === undefined ? {} : { 'consumer/outputs.py': outputs }),
      }
    : {
        'consumer/config.yaml': config,
        'consumer/steps.ts': `import type { StepContext } from 'nx-experiments';
export const show = (data: { up: unknown }, ctx: StepContext) =>
  ctx.artifact('seen').write(data.up instanceof Uint8Array ? [...data.up] : data.up);
`,
        ...(outputs === undefined ? {} : { 'consumer/outputs.ts': outputs }),
      };
}

const DIRECTIONS = [
  { from: 'python', to: 'node' },
  { from: 'node', to: 'python' },
] as const;

describe.each(DIRECTIONS)('an artifact from $from read in $to', ({ from, to }) => {
  const seen = async (files: Record<string, unknown>): Promise<unknown> => {
    using at = new Lab(files);
    const ran = await at.run();
    expect(ran.failures('producer/baseline')).toEqual([]);
    const [failure] = ran.failures('consumer/baseline');
    return failure ?? JSON.parse(at.read('consumer/results/baseline/artifacts/replicate_0/seen.json'));
  };

  test.each([
    ['x.json', '{"a":[1,null]}', { a: [1, null] }],
    ['x.txt', 'text ü\r\n', 'text ü\r\n'],
    [
      'x.csv',
      'name,value,note\n"a, b",1.5e2,\nc,-3,007\n\n',
      [
        { name: 'a, b', value: 150, note: null },
        { name: 'c', value: -3, note: '007' },
      ],
    ],
    ['one column.csv', 'v\n1\n""\n\n2\n', [{ v: 1 }, { v: null }, { v: 2 }]],
    [
      'short.csv',
      'a,b\n1\n2,3,4\n',
      [
        { a: 1, b: null },
        { a: 2, b: 3 },
      ],
    ],
    ['x.bin', 'ab', [97, 98]],
  ])('%s, by what its name tells', async (fileName, text, value) => {
    expect(await seen({ ...producer(from, fileName, text), ...consumer(to) })).toEqual(value);
  });

  test('is not guessed where quotes are damaged', async () => {
    expect(await seen({ ...producer(from, 'x.csv', 'a\n"x"y\n'), ...consumer(to) })).toMatch(
      /(?:',' expected|Trailing quote).* on producer\/results\/baseline\/artifacts\/replicate_0\/x\.csv$/,
    );
  });

  test('by the function of that name of the consumer, first of all', async () => {
    const outputs = to === 'python' ? PYTHON_OUTPUTS : NODE_OUTPUTS;
    const files = { ...producer(from, 'x.json', '{"a":1}', 'load'), ...consumer(to, outputs) };
    expect(await seen(files)).toEqual({ by: to, a: 1 });
  });

  test('else it is an error that says exactly this', async () => {
    const [producerModule, own] =
      from === 'python'
        ? ['producer/outputs.py', 'consumer/outputs.ts']
        : ['producer/outputs.ts', 'consumer/outputs.py'];
    expect(await seen({ ...producer(from, 'x.parquet', 'PAR1'), ...consumer(to) })).toBe(
      `*: the loader load_any of ${producerModule} is written in another language, ${own} has no function of that name, and no built-in loader reads "x.parquet" (.json, .txt, .md, .csv, .npy or .bin). Add load_any to ${own}.`,
    );
  });
});

test('between experiments of one language, the loader of the producer reads', async () => {
  using at = new Lab({
    ...producer('python', 'x.json', '{"a":1}', 'load'),
    ...consumer('python', 'def load(path): return 1\n'),
  });
  await at.run();
  expect(JSON.parse(at.read('consumer/results/baseline/artifacts/replicate_0/seen.json'))).toEqual({
    by: 'python',
    a: 1,
  });
});

test.skipIf(withoutNumpy)(`arrays and numbers of NumPy${withoutNumpy ?? ''}`, async () => {
  using at = new Lab({
    'up/config.yaml': {
      datasource: { rows: 'rows' },
      steps: ['measure'],
      replicates: 2,
      execution: { python: PYTHON_WITH_NUMPY },
      outputs: {
        floats: { file_name: 'floats.npy', writer: 'dump', loader: 'load' },
        integers: { file_name: 'integers.npy', writer: 'dump', loader: 'load' },
      },
    },
    'up/datasources.py': `import numpy as np
from crystallize import data_source
@data_source
def rows(ctx): return np.random.rand(2, 3)
`,
    'up/outputs.py': `import io
import numpy as np
def dump(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
def load(path): return np.load(path)
`,
    'up/steps.py': `import numpy as np
from crystallize import Artifact, pipeline_step
@pipeline_step()
def measure(data, ctx, floats: Artifact, integers: Artifact):
    floats.write(np.arange(6, dtype='<f4').reshape(2, 3) / 2)
    integers.write(np.array([1, -2, 3], dtype='>i8'))
    ctx.metrics.add('scalar', np.float32(0.5))
    ctx.metrics.add('whole', np.int64(3))
    ctx.metrics.add('truth', np.bool_(True))
    ctx.metrics.add('array', np.array([1.0, np.nan]))
    return data, {'first': data[0, 0]}
`,
    'down/config.yaml': {
      datasource: { floats: 'up#floats', integers: 'up#integers' },
      steps: ['read'],
    },
    'down/steps.ts': `import type { StepContext } from 'nx-experiments';
interface Npy { shape: number[]; data: number[] }
export const read = ({ floats, integers }: { floats: Npy; integers: Npy }, ctx: StepContext) => {
  for (const value of [...floats.shape, ...floats.data]) ctx.metrics.add('floats', value);
  for (const value of [...integers.shape, ...integers.data]) ctx.metrics.add('integers', value);
};
`,
  });
  const ran = await at.run();
  expect(ran.outcomes.flatMap(({ failures }) => failures)).toEqual([]);
  expect(at.metric('up/baseline', 'scalar')).toEqual([0.5, 0.5]);
  expect(at.metric('up/baseline', 'whole')).toEqual([3, 3]);
  expect(at.metric('up/baseline', 'truth')).toEqual([1, 1]);
  expect(at.metric('up/baseline', 'array')).toEqual([1, Number.NaN, 1, Number.NaN]);
  // numpy.random.seed(0); numpy.random.rand(2, 3)[0, 0]
  expect(at.metric('up/baseline', 'first')[0]).toBe(0.5488135039273248);
  expect(at.metric('up/baseline', 'first')[1]).not.toBe(0.5488135039273248);
  expect(at.metric('down/baseline', 'floats').slice(0, 8)).toEqual([2, 3, 0, 0.5, 1, 1.5, 2, 2.5]);
  expect(at.metric('down/baseline', 'integers').slice(0, 4)).toEqual([3, 1, -2, 3]);
});

test.skipIf(withoutNumpy)(`numpy.random is seeded where a step imports it${withoutNumpy ?? ''}`, async () => {
  using at = new Lab({
    'lab/config.yaml': {
      datasource: { one: 'one' },
      steps: ['draw'],
      replicates: 3,
      seed: 5,
      execution: { python: PYTHON_WITH_NUMPY },
    },
    'lab/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
    'lab/steps.py': `from crystallize import pipeline_step
@pipeline_step()
def draw(data, ctx):
    import numpy as np
    value = np.random.rand()
    ctx.metrics.add('value', value)
    np.random.seed(ctx['seed_used'])
    ctx.metrics.add('again', np.random.rand())
`,
  });
  const ran = await at.run();
  expect(ran.failures('lab/baseline')).toEqual([]);
  expect(at.metric('lab/baseline', 'value')).toEqual(at.metric('lab/baseline', 'again'));
});

test.skipIf(withoutNumpy)(
  `numpy.random is each replicate's own where interleaved ones import it late${withoutNumpy ?? ''}`,
  async () => {
    const draw = async (concurrency: number): Promise<number[]> => {
      using at = new Lab({
        'lab/config.yaml': {
          datasource: { one: 'one' },
          steps: ['draw'],
          replicates: 6,
          execution: { python: PYTHON_WITH_NUMPY, concurrency },
        },
        'lab/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
        'lab/steps.py': `import asyncio
from crystallize import pipeline_step
@pipeline_step()
async def draw(data, ctx):
    await asyncio.sleep(0.01 * (6 - ctx['replicate']))
    import numpy as np
    await asyncio.sleep(0.01)
    ctx.metrics.add('value', np.random.rand())
`,
      });
      const ran = await at.run();
      expect(ran.failures('lab/baseline')).toEqual([]);
      return at.metric('lab/baseline', 'value');
    };
    expect(await draw(6)).toEqual(await draw(1));
  },
);

describe('languages that stand in each other’s way', () => {
  const load = async (files: Record<string, string>): Promise<string> => {
    using at = new Lab({ 'lab/config.yaml': { datasource: { a: 'a' }, steps: ['s'] }, ...files });
    try {
      await at.run();
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };

  test('the same module twice', async () => {
    expect(await load({ 'lab/steps.py': '', 'lab/steps.ts': '', 'lab/datasources.py': '' })).toMatch(
      /modules\/two-languages.*The folder "lab" has steps\.py and steps\.ts/s,
    );
  });

  test('modules of one experiment', async () => {
    expect(await load({ 'lab/steps.py': '', 'lab/datasources.ts': '' })).toMatch(
      /modules\/mixed-languages.*The folder "lab" mixes languages: datasources\.ts, steps\.py\./s,
    );
  });
});
