import { describe, expect, test } from 'vitest';
import type { ConditionManifest } from '../../plugin/build/runtime/manifest.js';
import { Lab, type Ran } from '../support/engine.ts';
import { PYTHON_WITH_NUMPY, withoutNumpy } from '../support/python.ts';

/** A Crystallize folder with these modules. */
function folder(name: string, files: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text]));
}

const SOURCE = `from crystallize import data_source

@data_source
def numbers(ctx, length=3, offset=0):
    return [offset + ctx['replicate'] + i for i in range(length)]
`;

const CONFIG = { datasource: { numbers: 'numbers' }, steps: ['step'], replicates: 2 };

/** One step of a folder `lab`, and what it comes to. */
async function step(
  code: string,
  config: Record<string, unknown> = {},
  files: Record<string, unknown> = {},
): Promise<Ran & { at: Lab; metric(name: string, condition?: string): number[] }> {
  const at = new Lab(
    folder('lab', {
      'config.yaml': { ...CONFIG, ...config },
      'datasources.py': SOURCE,
      'steps.py': `from crystallize import *\n\n${code}\n`,
      ...files,
    }),
  );
  const ran = await at.run();
  return { ...ran, at, metric: (name, condition = 'baseline') => at.metric(`lab/${condition}`, name) };
}

describe('a value for a parameter that a datasource has a default for', () => {
  const USING = `
@pipeline_step()
def step(data, ctx, offset=0):
    return data, {'first': data[0] + offset}
`;
  const logs = ({ events }: Ran): string[] =>
    events.flatMap((event) => (event.type === 'log' ? [`${event.planned.id}: ${event.text}`] : []));

  test('is told to have no effect there, once', async () => {
    const ran = await step(USING.replace(', offset=0', '').replace(' + offset', ''), {
      params: { length: 3 },
      treatments: { far: { offset: 10 }, as_it_is: { offset: 0 } },
      execution: { workers: 2 },
    });
    expect(ran.metric('first', 'far')).toEqual(ran.metric('first'));
    expect(logs(ran)).toEqual([
      'lab/far: "offset" has no effect on numbers: the default of a datasource goes before it. Give it as an argument, under "datasource".',
    ]);
    ran.at[Symbol.dispose]();
  });

  test('is not when a step takes it, or an argument goes before', async () => {
    const ran = await step(USING, {
      datasource: { numbers: { numbers: { length: 4 } } },
      treatments: { far: { offset: 10, length: 5 } },
    });
    expect(ran.metric('first', 'far')).toEqual([10, 11]);
    expect(logs(ran)).toEqual([]);
    ran.at[Symbol.dispose]();
  });
});

describe('parameters of a step', () => {
  const CODE = `
@pipeline_step()
def step(data, ctx, delta: float, scale=2, label='x'):
    ctx.metrics.add('value', delta * scale)
    return data
`;

  test('come from the arguments, else from the context by name, else from the default', async () => {
    const { metric, at } = await step(CODE, {
      params: { delta: 5, scale: 100 },
      steps: [{ step: { scale: 3 } }],
      treatments: { more: { delta: 7 } },
    });
    expect(metric('value')).toEqual([15, 15]);
    expect(metric('value', 'more')).toEqual([21, 21]);
    at[Symbol.dispose]();
  });

  test('without a value, an unknown one, and a bare function are errors that say so', async () => {
    const unnamed = await step('@pipeline_step()\ndef step(rows, ctx):\n    return rows\n', {
      replicates: 1,
    });
    expect(unnamed.failures('lab/baseline')).toEqual([
      '*: step step needs a value for "rows": it has no default. If that is what the step works on, name it "data": parameters in Python are told by their names.',
    ]);
    unnamed.at[Symbol.dispose]();
    const missing = await step(CODE);
    expect(missing.failures('lab/baseline')).toEqual([
      '*: step step needs a value for "delta": it has no default. Give it in the step\'s arguments, in params, or in the treatment.',
    ]);
    const unknown = await step(CODE, { steps: [{ step: { scal: 3 } }] });
    expect(unknown.failures('lab/baseline')).toEqual([
      '*: step step has no parameter "scal". Did you mean "scale"?',
    ]);
    const bare = await step('def step(data, ctx): return data');
    expect(bare.failures('lab/baseline')).toEqual([
      '*: step of lab/steps.py is a bare function. Decorate it with @pipeline_step() from crystallize.',
    ]);
    const misspelt = await step('@pipeline_step()\ndef stepp(data, ctx): return data');
    expect(misspelt.failures('lab/baseline')).toEqual([
      '*: lab/steps.py does not export a function "step". Did you mean "stepp"?',
    ]);
  });

  test('without a value fail their condition before anything runs, but where a function may add it', async () => {
    const failures = async (body: string, params: Record<string, unknown> = {}): Promise<string[]> => {
      const code = `
@pipeline_step()
def prepare(data, ctx):
    ${body}
    return data
`;
      const ran = await step(`${code}${CODE}`, { steps: ['prepare', 'step'], params });
      ran.at[Symbol.dispose]();
      return ran.failures('lab/baseline').map((text) => text.replace(/ needs a value for.*/, ''));
    };
    const never = ['*: step step'];
    expect(await failures("ctx.metrics.add('seed', ctx['seed_used']); ctx.logger.info('x')")).toEqual(never);
    expect(await failures("raise ValueError('it ran')")).toEqual(never);
    expect(await failures("raise ValueError('it ran')", { delta: 1 })).toEqual([
      '0: step prepare threw ValueError: it ran',
      '1: step prepare threw ValueError: it ran',
    ]);
    expect(await failures("ctx.add('delta', 1)")).toEqual([]);
    expect(await failures("ctx['delta'] = 1")).toEqual([]);
    expect(await failures('(lambda ctx: setattr(ctx, "own", 1))(ctx)')).toEqual([
      '0: step step',
      '1: step step',
    ]);
    expect(await failures("if ctx['replicate'] > 0: ctx.add('delta', 1)")).toEqual(['0: step step']);
  });

  test('may be set up before the first replicate', async () => {
    const code = `
class Prepare(PipelineStep):
    def setup(self, ctx): ctx.add('delta', 3)
    def __call__(self, data, ctx): return data
`;
    const { metric, at } = await step(`${code}${CODE}`, { steps: ['Prepare', 'step'] });
    expect(metric('value')).toEqual([6, 6]);
    at[Symbol.dispose]();
  });

  test('are fractions when they are written as such, and integers when not', async () => {
    const text = (rate: string): string => `
datasource: { numbers: { numbers: { length: 2, offset: 2.0 } } }
steps:
  - step: { table: { a: [1, 1.0, 0x1e, 1.5, "1.0"], b: { c: 2e1 } } }
params: { rate: ${rate}, shared: 7.0, own: 3.0 }
outputs: { out: { writer: dump_text } }
treatments: { more: { own: 4 }, less: { rate: 4 } }
`;
    const code = `
@pipeline_step()
def step(data, ctx, out: Artifact, rate, shared, own, table):
    out.write(repr([data, rate, shared, own, table, ctx['own']]))
    return data
`;
    const { at } = await step(code, {}, { 'config.yaml': text('1.0') });
    const table = `{'a': [1, 1.0, 30, 1.5, '1.0'], 'b': {'c': 20.0}}`;
    const written = (condition: string): string =>
      at.read(`lab/results/${condition}/artifacts/replicate_0/out`);
    expect(written('baseline')).toBe(`[[2.0, 3.0], 1.0, 7.0, 3.0, ${table}, 3.0]`);
    expect(written('more')).toBe(`[[2.0, 3.0], 1.0, 7.0, 4, ${table}, 4]`);
    expect(written('less')).toBe(`[[2.0, 3.0], 4, 7.0, 3.0, ${table}, 3.0]`);

    await at.run({ store: '.store' });
    at.write({ 'lab/config.yaml': text('1') });
    const { events } = await at.run({ store: '.store' });
    expect(written('baseline')).toBe(`[[2.0, 3.0], 1, 7.0, 3.0, ${table}, 3.0]`);
    const reasons = events.flatMap((event) =>
      event.type === 'condition-started' ? [[event.planned.condition, event.reused, event.reasons]] : [],
    );
    expect(reasons.sort()).toEqual([
      ['baseline', 0, ['rate is a whole number now']],
      ['less', 1, []],
      ['more', 0, ['rate is a whole number now']],
    ]);
    at[Symbol.dispose]();
  });

  test('a value of the context that is callable stands for what it returns', async () => {
    const { metric } = await step(
      `
@pipeline_step()
def prepare(data, ctx):
    ctx.add('plain', lambda: 3)
    ctx.add('seeing', lambda ctx: ctx['replicate'] + 10)
    return data

@pipeline_step()
def step(data, ctx, plain, seeing):
    ctx.metrics.add('plain', plain)
    ctx.metrics.add('seeing', seeing)
`,
      { steps: ['prepare', 'step'] },
    );
    expect(metric('plain')).toEqual([3, 3]);
    expect(metric('seeing')).toEqual([10, 11]);
  });
});

describe('the context', () => {
  test('holds replicate, condition and seed, and cannot be overwritten', async () => {
    const { metric } = await step(
      `
@pipeline_step()
def step(data, ctx):
    ctx.metrics.add('replicate', ctx['replicate'])
    ctx.metrics.add('seed', ctx.get('seed_used'))
    ctx.metrics.add('baseline', ctx.get('condition') == 'baseline')
    ctx.metrics.add('none', ctx.get('nothing') is None and ctx.get('nothing', 4) == 4)
    ctx.add('own', [1])
    ctx['own'].append(2)
    ctx.metrics.add('copies', len(ctx['own']))
    for key in ('own', 'replicate'):
        try:
            ctx[key] = 9
        except ContextMutationError:
            ctx.metrics.add('raised', 1)
    ctx.record('recorded', 2.5, tags={'unit': 's'})
    ctx.metrics.add('known', ctx.as_dict()['rate'] + len(ctx.metrics['recorded']))
    ctx.logger.info('logged')
`,
      { seed: 7, params: { rate: 1 } },
    );
    expect(metric('replicate')).toEqual([0, 1]);
    expect(metric('seed')).toEqual([7, 31344]);
    expect(metric('baseline')).toEqual([1, 1]);
    expect(metric('none')).toEqual([1, 1]);
    expect(metric('copies')).toEqual([1, 1]);
    expect(metric('raised')).toEqual([1, 1, 1, 1]);
    expect(metric('recorded')).toEqual([2.5, 2.5]);
    expect(metric('known')).toEqual([2, 2]);
  });

  test('a treatment that sets what the engine sets is an error', async () => {
    const { failures } = await step('@pipeline_step()\ndef step(data, ctx): return data', {
      treatments: { odd: { replicate: 3 } },
    });
    expect(failures('lab/baseline')).toEqual([]);
    expect(failures('lab/odd')).toEqual([
      '*: "replicate" cannot be set by params or a treatment: the engine puts it into the context. Choose another name.',
    ]);
  });
});

describe('what a step returns', () => {
  test('is data, or data with metrics, also when it is asynchronous', async () => {
    const { metric } = await step(
      `
import asyncio

@pipeline_step(cacheable=True)
def first(data, ctx):
    return sum(data), {'sum': sum(data)}

@pipeline_step()
async def step(data, ctx):
    await asyncio.sleep(0.001)
    return data, {'twice': 2 * data}
`,
      { steps: ['first', 'step'] },
    );
    expect(metric('sum')).toEqual([3, 6]);
    expect(metric('twice')).toEqual([6, 12]);
  });

  test('metrics are numbers, whatever holds them', async () => {
    const { metric } = await step(`
import decimal, fractions

@pipeline_step()
def step(data, ctx):
    ctx.metrics.add('true', True)
    ctx.metrics.add('fraction', fractions.Fraction(1, 4))
    ctx.metrics.add('decimal', decimal.Decimal('0.5'))
    ctx.metrics.add('list', [1, 2.5])
    ctx.metrics.add('large', 2 ** 80)
`);
    expect(metric('true')).toEqual([1, 1]);
    expect(metric('fraction')).toEqual([0.25, 0.25]);
    expect(metric('decimal')).toEqual([0.5, 0.5]);
    expect(metric('list')).toEqual([1, 2.5, 1, 2.5]);
    expect(metric('large')).toEqual([2 ** 80, 2 ** 80]);
    const text = await step("@pipeline_step()\ndef step(data, ctx): ctx.metrics.add('label', 'cat')");
    expect(text.failures('lab/baseline')[0]).toBe(
      '0: step step recorded str (cat) for the metric "label"; a metric is a number.',
    );
  });

  test('what is said of an object is the same in every run', async () => {
    const of = async (line: string): Promise<string | undefined> =>
      (await step(`@pipeline_step()\ndef step(data, ctx): ${line}`)).failures('lab/baseline')[0];
    expect(await of("ctx.metrics.add('thing', object())")).toBe(
      '0: step step recorded object (<object object>) for the metric "thing"; a metric is a number.',
    );
    expect(await of("raise ValueError(f'what is {object()}?')")).toBe(
      '0: step step threw ValueError: what is <object object>?',
    );
  });
});

describe('artifacts', () => {
  const OUTPUTS = `import json
def dump(data): return json.dumps(data)
def load(path): return json.loads(path.read_text())
`;
  const outputs = { summary: { file_name: 'summary.json', writer: 'dump', loader: 'load' }, raw: {} };

  test.each([
    ['by annotation', '', 'summary: Artifact, raw: Artifact', ['step']],
    ['by a string annotation', '', 'summary: "Artifact", raw: "crystallize.Artifact"', ['step']],
    [
      'with postponed annotations',
      'from __future__ import annotations\n',
      'summary: Artifact, raw: Artifact',
      ['step'],
    ],
    ['by the arguments of the step', '', 'out: Artifact, raw: Artifact', [{ step: { out: 'summary' } }]],
  ])('reach a step %s', async (_, head, parameters, steps) => {
    const out = parameters.startsWith('out') ? 'out' : 'summary';
    const at = new Lab(
      folder('lab', {
        'config.yaml': { ...CONFIG, steps, outputs },
        'datasources.py': SOURCE,
        'outputs.py': OUTPUTS,
        'steps.py': `${head}from crystallize import Artifact, pipeline_step

@pipeline_step()
def step(data, ctx, ${parameters}):
    ${out}.write({'sum': sum(data)})
    raw.write(bytes(data))
`,
      }),
    );
    const ran = await at.run();
    expect(ran.failures('lab/baseline')).toEqual([]);
    expect(at.read('lab/results/baseline/artifacts/replicate_1/summary.json')).toBe('{"sum": 6}');
    expect(at.read('lab/results/baseline/artifacts/replicate_1/raw')).toBe('\u0001\u0002\u0003');
  });

  test('mistakes are named', async () => {
    const failure = async (body: string, more: Record<string, unknown> = {}): Promise<string | undefined> => {
      const code = `@pipeline_step()\ndef step(data, ctx, summary: Artifact):\n    ${body}`;
      const config = { outputs: { summary: outputs.summary }, replicates: 1, ...more };
      return (await step(code, config, { 'outputs.py': OUTPUTS })).failures('lab/baseline')[0];
    };
    expect(await failure('pass')).toBe(
      '0: the output "summary" (summary.json) is declared, but no step wrote it',
    );
    expect(await failure('summary.write(1); summary.write(2)')).toBe(
      '0: step step writes the output "summary" a second time; an artifact is written once',
    );
    expect(await failure('summary.write({1, 2})')).toBe(
      '0: the writer dump of the output "summary" threw TypeError: Object of type set is not JSON serializable',
    );
    expect(await failure('summary.write(1); summary.path.with_name("x").write_text("")')).toMatch(
      /second time/,
    );
    expect(await failure('summary.path.write_text("1"); summary.path.with_name("x").write_text("")')).toBe(
      '0: the file x was written beside the artifacts, but is no file_name under outputs. Declare it, or write it elsewhere.',
    );
    expect(await failure('pass', { steps: [{ step: { summary: 'sumary' } }] })).toBe(
      '*: step step asked for the artifact "sumary", which is not declared under outputs. Did you mean "summary"?',
    );
  });

  test('pass from one experiment to the next by the loader of the producer, replicates in turn', async () => {
    using at = new Lab({
      ...folder('producer', {
        'config.yaml': {
          ...CONFIG,
          outputs: { summary: outputs.summary },
          treatments: { more: { extra: 10 } },
        },
        'datasources.py': SOURCE,
        'outputs.py': `import json
def dump(data): return json.dumps(data)
def load(path):
    from helper import twice
    return twice(json.loads(path.read_text()))
`,
        'helper.py': 'def twice(x): return 2 * x\n',
        'steps.py': `from crystallize import Artifact, pipeline_step
from helper import twice
@pipeline_step()
def step(data, ctx, summary: Artifact, extra=0):
    summary.write(sum(data) + extra)
`,
      }),
      ...folder('consumer', {
        'config.yaml': {
          datasource: [{ upstream: 'producer#summary' }, { own: { numbers: { length: 1, offset: 100 } } }],
          steps: ['step'],
          replicates: 5,
        },
        'datasources.py': SOURCE,
        'helper.py': 'def twice(x): return "the helper of the consumer"\n',
        'steps.py': `from crystallize import pipeline_step
from helper import twice
@pipeline_step()
def step(data, ctx):
    ctx.metrics.add('upstream', data['upstream'])
    ctx.metrics.add('own', data['own'])
    ctx.metrics.add('helper', len(twice(1)))
`,
      }),
    });
    const ran = await at.run();
    expect(ran.outcomes.map(({ status }) => status)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
    expect(at.metric('consumer/baseline', 'upstream')).toEqual([6, 12, 6, 12, 6]);
    expect(at.metric('consumer/more', 'upstream')).toEqual([26, 32, 26, 32, 26]);
    expect(at.metric('consumer/baseline', 'own')).toEqual([100, 101, 102, 103, 104]);
    expect(at.metric('consumer/baseline', 'helper')).toEqual([26, 26, 26, 26, 26]);
  });
});

test('steps and datasources may be classes, with setup and teardown', async () => {
  using at = new Lab(
    folder('lab', {
      'config.yaml': {
        datasource: { numbers: { Numbers: { length: 2 } } },
        steps: [{ Add: { amount: 5 } }],
        replicates: 3,
      },
      'datasources.py': `from crystallize.datasources.datasource import DataSource
class Numbers(DataSource):
    def __init__(self, length): self.length = length
    def fetch(self, ctx): return [ctx['replicate']] * self.length
    @property
    def params(self): return {'length': self.length}
`,
      'steps.py': `from pathlib import Path
from crystallize.pipelines.pipeline_step import PipelineStep
from crystallize.utils.context import FrozenContext
class Add(PipelineStep):
    cacheable = False
    def __init__(self, amount): self.amount = amount
    @property
    def params(self): return {'amount': self.amount}
    def setup(self, ctx: FrozenContext):
        ctx.add('client', lambda ctx: 1000)
        with open('../setups', 'a') as file: file.write('s')
    def __call__(self, data, ctx):
        total = sum(data) + self.amount + ctx['client'](ctx)
        return total, {'total': total}
    def teardown(self, ctx):
        Path('../teardowns').write_text('yes')
`,
    }),
  );
  const ran = await at.run();
  expect(ran.failures('lab/baseline')).toEqual([]);
  expect(at.metric('lab/baseline', 'total')).toEqual([1005, 1007, 1009]);
  expect(at.read('setups')).toBe('s');
  expect(at.read('teardowns')).toBe('yes');
});

test('a resource is made once in a process', async () => {
  const { metric } = await step(`
made = []
def make(ctx):
    made.append(1)
    return object()
client = resource_factory(make)

@pipeline_step()
def step(data, ctx):
    client(ctx)
    client(ctx)
    ctx.metrics.add('made', len(made))
`);
  expect(metric('made')).toEqual([1, 1]);
});

test('a resource belongs to its condition and its experiment, and to what the function captures', async () => {
  const code = `from crystallize import *

@resource_factory
def model(ctx):
    return ctx['size']

def table(name):
    return resource_factory(lambda ctx: name)

first, second = table(1), table(2)

@pipeline_step()
def step(data, ctx):
    ctx.metrics.add('model', model(ctx) * FACTOR)
    ctx.metrics.add('tables', [first(ctx), second(ctx)])
    return data
`;
  const config = { ...CONFIG, replicates: 1, params: { size: 1 }, treatments: { large: { size: 10 } } };
  using at = new Lab({
    ...folder('lab', { 'config.yaml': config, 'datasources.py': SOURCE, 'steps.py': `${code}FACTOR = 1\n` }),
    ...folder('copy', { 'config.yaml': config, 'datasources.py': SOURCE, 'steps.py': `${code}FACTOR = 3\n` }),
  });
  await at.run();
  const metrics = (name: string): number[][] =>
    ['lab/baseline', 'lab/large', 'copy/baseline', 'copy/large'].map((id) => at.metric(id, name));
  expect(metrics('model')).toEqual([[1], [10], [3], [30]]);
  expect(metrics('tables')).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
});

test('what a step does to its arguments, the next replicate does not see', async () => {
  const { metric } = await step(
    `
@pipeline_step()
def step(data, ctx, columns):
    columns.append('target')
    ctx.metrics.add('columns', len(columns))
    ctx.metrics.add('numbers', len(data))
    return data
`,
    {
      datasource: { numbers: { numbers: { start: [] } } },
      steps: [{ step: { columns: ['a'] } }],
      replicates: 3,
    },
    {
      'datasources.py': `from crystallize import data_source

@data_source
def numbers(ctx, start):
    start.append(ctx['replicate'])
    return start
`,
    },
  );
  expect(metric('columns')).toEqual([2, 2, 2]);
  expect(metric('numbers')).toEqual([1, 1, 1]);
});

test('names that are not carried say so', async () => {
  const message = (name: string) =>
    new RegExp(
      `^\\*: lab/steps.py could not be loaded: ImportError: ${name} is not part of what nx-experiments carries of Crystallize, which is: Artifact, .*Install the whole of it with: .* -m pip install crystallize-ml$`,
    );
  const optimizer = await step('from crystallize import ExperimentGraph');
  expect(optimizer.failures('lab/baseline')[0]).toMatch(message('crystallize.ExperimentGraph'));
  const plugins = await step('import crystallize.plugins.plugins');
  expect(plugins.failures('lab/baseline')[0]).toMatch(message('crystallize.plugins'));
});

test('treatments, hypotheses and verifiers of a module can be made', async () => {
  const { failures } = await step(`
high = treatment('high', {'delta': 1})
@treatment('later')
def later(ctx): ctx.add('delta', 2)
@verifier
def test(control, treated, *, alpha=0.05): return {'p_value': alpha}
@hypothesis(verifier=test(alpha=0.1), metrics='value')
def rank(result): return result['p_value']

@pipeline_step()
def step(data, ctx):
    later().apply(ctx)
    assert ctx['delta'] == 2 and rank.verifier({}, {})['p_value'] == 0.1 and rank.name == 'rank'
`);
  expect(failures('lab/baseline')).toEqual([]);
});

describe('random numbers', () => {
  const CODE = `
import asyncio, random
@pipeline_step()
async def step(data, ctx):
    ctx.metrics.add('first', random.random())
    await asyncio.sleep(0.001 * (5 - ctx['replicate'] % 5))
    ctx.metrics.add('second', random.random())
`;

  test('start anew in every replicate, by the formula of Crystallize', async () => {
    const { metric } = await step(CODE, { seed: 42, replicates: 3, treatments: { other: { x: 1 } } });
    // random.Random((42 + i * 31337) % 2**32).random()
    expect(metric('first')).toEqual([0.6394267984578837, expect.any(Number), expect.any(Number)]);
    expect(metric('first', 'other')).toEqual(metric('first'));
    expect(new Set(metric('first')).size).toBe(3);
  });

  test('are the same when replicates are interleaved', async () => {
    const alone = await step(CODE, { replicates: 12 });
    const together = await step(CODE, { replicates: 12, execution: { concurrency: 6 } });
    expect(together.metric('second')).toEqual(alone.metric('second'));
  });
});

test('the order of a set does not depend on the process', async () => {
  const code = `
@pipeline_step()
def step(data, ctx):
    ctx.metrics.add('order', [ord(letter) for letter in set('experiment')])
`;
  const [first, second] = [await step(code), await step(code)];
  expect(first.metric('order')).toEqual(second.metric('order'));
});

test('generators of random numbers that a module keeps are warned about, once', async () => {
  const { events, at } = await step(
    `
import random
from random import Random, random as draw
OWN = random.Random(1)
SYSTEM = random.SystemRandom()
seeded = random
@pipeline_step()
def step(data, ctx): return data, {'own': OWN.random()}
`,
    { execution: { workers: 2 } },
  );
  expect(events.flatMap((event) => (event.type === 'log' ? [event.text] : []))).toEqual([
    "OWN of lab/steps.py is made once in a worker and does not begin anew in a replicate: what is drawn from it depends on the number of workers. Make it in the function, from ctx['seed_used'], or draw from random or numpy.random.",
  ]);
  at[Symbol.dispose]();
});

test.skipIf(withoutNumpy)(`those of NumPy as well${withoutNumpy ?? ''}`, async () => {
  const { events, at } = await step(
    `
import numpy as np
from numpy.random import Generator, mtrand
OLD = np.random.RandomState(1)
NEW = np.random.default_rng(1)
GLOBAL = mtrand._rand
@pipeline_step()
def step(data, ctx): return data, {'own': NEW.random()}
`,
    { execution: { python: PYTHON_WITH_NUMPY } },
  );
  expect(events.flatMap((event) => (event.type === 'log' ? [event.text.split(' is made')[0]] : []))).toEqual([
    'OLD of lab/steps.py',
    'NEW of lab/steps.py',
  ]);
  at[Symbol.dispose]();
});

test('a group of exceptions tells what it holds', async () => {
  const ran = await step(
    `
@pipeline_step()
def step(data, ctx):
    class ExceptionGroup(Exception):
        exceptions = (ValueError('größe'), Exception('b'))
    raise ExceptionGroup('unhandled errors in a TaskGroup (2 sub-exceptions)')
`,
    { replicates: 1 },
  );
  expect(ran.failures('lab/baseline')).toEqual([
    '0: step step threw ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions); of which ValueError: größe; of which Exception: b',
  ]);
  ran.at[Symbol.dispose]();
});

test('modules may import each other and their neighbours, relative to the folder, the package and the root', async () => {
  using at = new Lab({
    'shared/constants.py': 'ROOT = 1\n',
    'group/near.py': 'NEAR = 10\n',
    'group/a/config.yaml': CONFIG,
    'group/a/datasources.py': SOURCE,
    'group/a/local.py': 'LOCAL = 100\n',
    'group/a/statistics.py': 'raise ValueError("it hides a module of Python\'s own")\n',
    'group/a/steps.py': `from crystallize import pipeline_step
from shared.constants import ROOT
from group.near import NEAR
from ..near import NEAR as AGAIN
from .local import LOCAL
import local, datasources, statistics, sys
@pipeline_step()
def step(data, ctx):
    import group.a.local as dotted
    ctx.metrics.add('value', ROOT + NEAR + AGAIN + LOCAL + local.LOCAL + dotted.LOCAL)
    ctx.metrics.add('same', datasources is sys.modules['group.a.datasources'])
`,
  });
  await at.run();
  const text = at.read('group/a/results/baseline/metrics.json');
  expect(text).toContain(`"experiment":"a"`);
  expect(text).toContain('"value":[321],"same":[1]');
  expect(at.files('.').filter((file) => file.includes('__pycache__'))).toEqual([]);
});

test('experiments in folders of folders share a worker, with and without __init__.py', async () => {
  const names = ['one', 'two', 'three'];
  using at = new Lab({
    'all/group/two/__init__.py': '',
    ...Object.fromEntries(
      names.flatMap((name, i) => [
        [`all/group/${name}/config.yaml`, { ...CONFIG, treatments: { more: {} } }],
        [`all/group/${name}/datasources.py`, SOURCE],
        [`all/group/${name}/common.py`, `NUMBER = ${i}\n`],
        [
          `all/group/${name}/steps.py`,
          `from crystallize import pipeline_step
from .common import NUMBER
import common
@pipeline_step()
def step(data, ctx):
    from all.group.${name} import common as again
    return data, {'value': NUMBER + 10 * common.NUMBER + 100 * again.NUMBER}
`,
        ],
      ]),
    ),
  });
  const ran = await at.run({ workers: 1 });
  const values = (name: string): unknown[] =>
    (JSON.parse(at.read(`all/group/${name}/results/more/metrics.json`)) as ConditionManifest).replicates.map(
      ({ metrics }) => metrics.value,
    );
  for (const [i, name] of names.entries()) {
    expect(ran.failures(`${name}/more`)).toEqual([]);
    expect(values(name)).toEqual([[i * 111], [i * 111]]);
  }
});

test('what modules add to the search path is there whenever they run', async () => {
  using at = new Lab({
    'lib/early.py': 'VALUE = 1\n',
    'lib/late.py': 'VALUE = 10\n',
    ...folder('producer', {
      'config.yaml': { ...CONFIG, outputs: { out: { loader: 'load' } } },
      'datasources.py': SOURCE,
      'outputs.py': 'def load(path): return int(path.read_text())\n',
      'steps.py':
        'from crystallize import *\n@pipeline_step()\ndef step(data, ctx, out: Artifact): out.write("100")\n',
    }),
    ...folder('reader', {
      'config.yaml': { datasource: { up: 'producer#out' }, steps: ['step'] },
      'steps.py': `import sys
from pathlib import Path
sys.path.append(str(Path(__file__).resolve().parents[1] / 'lib'))
sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)
import early
from crystallize import pipeline_step
@pipeline_step()
def step(data, ctx):
    import late
    ctx.metrics.add('value', data['up'] + late.VALUE + early.VALUE)
`,
    }),
  });
  const ran = await at.run({ workers: 1 });
  expect(ran.failures('reader/baseline')).toEqual([]);
  expect(at.metric('reader/baseline', 'value')).toEqual([111, 111]);
});
