import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { experiment, Lab } from '../../support/engine.ts';

const SOURCE = 'export const source = (ctx: { replicate: number }) => ctx.replicate;\n';

/** Draws from both generators, and records what came. */
const DRAWS = `
import type { StepContext } from 'nx-experiments';
import { setTimeout as sleep } from 'node:timers/promises';
export async function step(data: number, ctx: StepContext) {
  for (let i = 0; i < 3; i++) {
    ctx.metrics.add('ctx', ctx.random());
    ctx.metrics.add('math', Math.random());
    await sleep(ctx.replicate % 3);
  }
  await ctx.artifact('drawn').write({ drawn: ctx.random(), params: ctx.params });
  return data;
}
`;
const DRAWING = {
  replicates: 12,
  seed: 7,
  params: { rate: 1 },
  treatments: { fast: { rate: 2 } },
  outputs: { drawn: { file_name: 'drawn.json', writer: 'dump_json', loader: 'load_json' } },
};

const PRODUCER = experiment(
  'producer',
  `
import type { StepContext } from 'nx-experiments';
export async function step(data: number, ctx: StepContext) {
  await ctx.artifact('summary').write({ replicate: ctx.replicate, condition: ctx.condition });
}
`,
  {
    replicates: 2,
    outputs: { summary: { file_name: 'summary.json', writer: 'dump_json', loader: 'load_json' } },
    treatments: { high: { rate: 2 } },
  },
);

function consumer(settings: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    'consumer/config.yaml': {
      replicates: 5,
      datasource: { summary: 'producer#summary' },
      steps: ['step'],
      ...settings,
    },
    'consumer/steps.ts': `
import type { StepContext } from 'nx-experiments';
export function step({ summary }: any, ctx: StepContext) {
  ctx.metrics.add('read', summary.replicate);
  ctx.metrics.add('high', summary.condition === 'high' ? 1 : 0);
}
`,
  };
}

/** In a process of its own, and in a thread. */
test.each(["import 'node:os';", ''])(
  'a step that replaces Math.random changes no other replicate, also of other experiments (%j)',
  async (imports) => {
    const draws = "ctx.metrics.add('drawn', Math.random());";
    const settings = { replicates: 6 };
    const replacing = `${imports}\nexport const step = (data: any, ctx: any) => { ${draws} if (ctx.replicate === 1) Math.random = () => 0.5; };\n`;
    const other = `${imports}\nexport const step = (data: any, ctx: any) => { ${draws} };\n`;
    using lab = new Lab({
      ...experiment('replacing', replacing, settings),
      ...experiment('other', other, settings),
    });
    await lab.run({ workers: 1 });
    const drawn = lab.metric('replacing/baseline', 'drawn');
    expect(new Set(drawn).size).toBe(6);
    expect(lab.metric('other/baseline', 'drawn')).toEqual(drawn);
  },
);

describe('a chain', () => {
  test('runs upstream first; a consumer cycles over the replicates of its producer, at its own treatment', async () => {
    using lab = new Lab({ ...PRODUCER, ...consumer() });
    const { outcomes } = await lab.run({ only: ['consumer/baseline', 'consumer/high'], workers: 2 });
    expect(outcomes.map(({ planned, status }) => `${planned.id} ${status}`)).toEqual([
      'producer/baseline succeeded',
      'producer/high succeeded',
      'consumer/baseline succeeded',
      'consumer/high succeeded',
    ]);
    expect(lab.metric('consumer/high', 'read')).toEqual([0, 1, 0, 1, 0]);
    expect(lab.metric('consumer/baseline', 'high')).toEqual([0, 0, 0, 0, 0]);
    expect(lab.metric('consumer/high', 'high')).toEqual([1, 1, 1, 1, 1]);
  });

  test('the loader of the producer’s outputs module reads; without a loader the bytes arrive', async () => {
    using lab = new Lab({
      ...experiment(
        'producer',
        `
import type { StepContext } from 'nx-experiments';
export async function step(data: number, ctx: StepContext) {
  await ctx.artifact('own').write('own');
  await ctx.artifact('text').write('täxt');
  await ctx.artifact('raw').write(new Uint8Array([0, 255]));
}
`,
        {
          outputs: {
            own: { file_name: 'own.txt', writer: 'dump_own', loader: 'load_own' },
            text: { file_name: 'text.txt', writer: 'dump_text', loader: 'load_text' },
            raw: { file_name: 'raw.bin' },
          },
        },
      ),
      'producer/outputs.ts': `
import { readFileSync } from 'node:fs';
export const dump_own = (text: string) => '<' + text + '>';
export const load_own = async (path: string) => readFileSync(path, 'utf8') + '!';
`,
      'consumer/config.yaml': {
        datasource: { own: 'producer#own', text: 'producer#text', raw: 'producer#raw' },
        steps: ['step'],
      },
      'consumer/steps.ts': `
export function step(data: any, ctx: any) {
  ctx.log(JSON.stringify([data.own, data.text, Buffer.isBuffer(data.raw), [...data.raw]]));
}
`,
    });
    await lab.run();
    expect(lab.log('consumer/baseline')).toContainEqual({
      type: 'log',
      replicate: 0,
      text: '["<own>!","täxt",true,[0,255]]',
    });
  });

  test('a single reference arrives as a mapping, a single function as its value', async () => {
    using lab = new Lab({
      ...PRODUCER,
      ...consumer({ replicates: 1 }),
      ...experiment(
        'bare',
        'export const step = (data: number, ctx: any) => ctx.metrics.add("bare", data);',
        {
          replicates: 3,
        },
      ),
      'two/config.yaml': {
        datasource: { a: 'source', b: { scaled: { by: 3 } } },
        steps: ['step'],
        replicates: 2,
      },
      'two/datasources.ts': `
import { defineDatasource } from 'nx-experiments';
${SOURCE}
export const scaled = defineDatasource({ by: 1 }, async ({ by }, ctx) => ctx.replicate * by);
`,
      'two/steps.ts': 'export const step = ({ a, b }: any, ctx: any) => ctx.metrics.add("two", 10 * a + b);',
    });
    await lab.run();
    expect(lab.metric('bare/baseline', 'bare')).toEqual([0, 1, 2]);
    expect(lab.metric('two/baseline', 'two')).toEqual([0, 13]);
    expect(lab.metric('consumer/baseline', 'read')).toEqual([0]);
  });
});

describe('parameters', () => {
  const step = (defaults: string): string => `
import { defineStep, required } from 'nx-experiments';
export const step = defineStep(${defaults}, (data, params: any, ctx) => {
  for (const [name, value] of Object.entries(params)) ctx.metrics.add(name, Number(value));
});
`;

  test('come from the arguments, else the treatment, else params, else the default', async () => {
    using lab = new Lab(
      experiment('e', step('{ a: 0, b: 0, c: 0, d: 0 }'), {
        steps: [{ step: { a: 1 } }],
        params: { a: 2, b: 2, c: 2 },
        treatments: { t: { a: 3, b: 3 } },
      }),
    );
    await lab.run();
    const metrics = (id: string) => lab.manifest(id).replicates[0]?.metrics;
    expect(metrics('e/baseline')).toEqual({ a: [1], b: [2], c: [2], d: [0] });
    expect(metrics('e/t')).toEqual({ a: [1], b: [3], c: [2], d: [0] });
  });

  test.each([
    [
      { steps: ['step'] },
      'step step needs a value for "must": it has no default. Give it in the step\'s arguments, in params, or in the treatment.',
    ],
    [
      { steps: [{ step: { must: 1, epoch: 2 } }] },
      'step step has no parameter "epoch". Did you mean "epochs"?',
    ],
    [{ params: { must: 1, epochs: 'ten' } }, 'step step expects a number for "epochs", but got string.'],
    [{ params: { must: 1, epochs: [1] } }, 'step step expects a number for "epochs", but got a list.'],
  ])('that do not fit %j end the condition once', async (settings, message) => {
    using lab = new Lab(
      experiment('e', step('{ must: required<number>(), epochs: 1 }'), { replicates: 3, ...settings }),
    );
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual([`*: ${message}`]);
  });

  test('are frozen all the way down', async () => {
    using lab = new Lab(
      experiment('e', 'export const step = (data: number, ctx: any) => { ctx.params.list.push(1); };', {
        params: { list: [] },
      }),
    );
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual([
      '0: step step threw TypeError: Cannot add property 0, object is not extensible',
    ]);
  });
});

describe('steps', () => {
  test('sync and async ones pass data on; metrics come from withMetrics and ctx, several times', async () => {
    using lab = new Lab(
      experiment(
        'e',
        `
import { withMetrics } from 'nx-experiments';
export const one = (data: number) => withMetrics(data + 1, { seen: data });
export const two = async (data: number, ctx: any) => { ctx.metrics.add('seen', data); return withMetrics(data * 2, { seen: -data }); };
export const three = (data: number, ctx: any) => { ctx.metrics.add('last', data); };
`,
        { replicates: 2, steps: ['one', 'two', 'three'] },
      ),
    );
    await lab.run();
    expect(lab.manifest('e/baseline').replicates.map(({ metrics }) => metrics)).toEqual([
      { seen: [0, 1, -1], last: [2] },
      { seen: [1, 2, -2], last: [4] },
    ]);
  });

  test.each([
    [
      'ctx.metrics.add("loss", "0.5")',
      'step step recorded string for the metric "loss"; a metric is a number.',
    ],
    ['ctx.metrics.add("loss", null)', 'step step recorded null for the metric "loss"; a metric is a number.'],
    [
      'withMetrics(1, { loss: 1n })',
      'step step recorded bigint for the metric "loss"; a metric is a number.',
    ],
    ['withMetrics(1, undefined)', 'step step threw TypeError: Cannot convert undefined or null to object'],
  ])('%s is refused', async (code, message) => {
    using lab = new Lab(
      experiment(
        'e',
        `import { withMetrics } from 'nx-experiments';\nexport const step = (data: any, ctx: any) => ${code.replace('1n', 'BigInt(1) as any').replace('undefined)', 'undefined as any)')};`,
      ),
    );
    expect((await lab.run()).failures('e/baseline')).toEqual([`0: ${message}`]);
  });

  test('each replicate begins in the experiment’s folder, wherever the one before went', async () => {
    using lab = new Lab(
      experiment(
        'e',
        'export const step = (data: number, ctx: any) => { ctx.metrics.add("home", Number(process.cwd() === ctx.folder)); process.chdir("/"); };',
        { replicates: 6 },
      ),
    );
    await lab.run();
    expect(lab.metric('e/baseline', 'home')).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe('randomness', () => {
  test('is the same in every condition, with any number of workers, interleaved or not', async () => {
    using lab = new Lab(experiment('e', DRAWS, DRAWING));
    await lab.run({ workers: 1 });
    const ctx = lab.metric('e/baseline', 'ctx');
    const math = lab.metric('e/baseline', 'math');
    expect(new Set([...ctx, ...math]).size).toBe(72);
    expect([...ctx, ...math].every((x) => x >= 0 && x < 1)).toBe(true);
    expect(lab.metric('e/fast', 'ctx')).toEqual(ctx);
    expect(lab.metric('e/fast', 'math')).toEqual(math);
    const before = lab.snapshot();
    await lab.run({ workers: 4 });
    expect(lab.snapshot()).toEqual(before);
    lab.write({
      'e/config.yaml': {
        ...DRAWING,
        datasource: { data: 'source' },
        steps: ['step'],
        execution: { concurrency: 5 },
      },
    });
    await lab.run({ workers: 2 });
    expect(lab.snapshot()).toEqual(before);
    expect(
      lab
        .manifest('e/fast')
        .replicates.map(({ seed }) => seed)
        .slice(0, 2),
    ).toEqual([7, 7 + 31337]);
  });
});

describe('artifacts', () => {
  const OUTPUTS = {
    a: { file_name: 'plots/a.json', writer: 'dump_json' },
    b: { file_name: 'b.txt' },
    c: { file_name: 'deep/er/c.bin' },
  };

  test('are written by value, by path and by stream; the manifest has their digests', async () => {
    using lab = new Lab(
      experiment(
        'e',
        `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
export async function step(data: number, ctx: any) {
  await ctx.artifact('a').write({ data });
  writeFileSync(ctx.artifact('b').path, 'b');
  appendFileSync(ctx.artifact('b').path, 'b');
  const stream = ctx.artifact('c').stream();
  for (let i = 0; i < 1000; i++) stream.write(Buffer.alloc(1000, data));
}
`,
        { outputs: OUTPUTS, replicates: 2 },
      ),
    );
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual([]);
    expect(lab.files('e/results')).toEqual([
      'baseline/artifacts/replicate_0/b.txt',
      'baseline/artifacts/replicate_0/deep/er/c.bin',
      'baseline/artifacts/replicate_0/plots/a.json',
      'baseline/artifacts/replicate_1/b.txt',
      'baseline/artifacts/replicate_1/deep/er/c.bin',
      'baseline/artifacts/replicate_1/plots/a.json',
      'baseline/metrics.json',
      'baseline/run.jsonl',
    ]);
    const folder = 'e/results/baseline/artifacts/replicate_1';
    expect(lab.read(`${folder}/plots/a.json`)).toBe('{\n  "data": 1\n}\n');
    expect(lab.read(`${folder}/b.txt`)).toBe('bb');
    const [, second] = lab.manifest('e/baseline').replicates;
    expect(second?.artifacts.c).toEqual({
      fileName: 'deep/er/c.bin',
      bytes: 1_000_000,
      sha256: createHash('sha256')
        .update(readFileSync(`${lab.root}/${folder}/deep/er/c.bin`))
        .digest('hex'),
    });
  });

  test('what is written and not awaited is waited for', async () => {
    using lab = new Lab({
      ...experiment(
        'e',
        "export const step = (data: number, ctx: any) => void ctx.artifact('b').write('late');",
        {
          outputs: { b: { writer: 'slow' } },
        },
      ),
      'e/outputs.ts':
        'export const slow = (value: string) => new Promise((done) => setTimeout(done, 20, value));\n',
    });
    await lab.run();
    expect(lab.read('e/results/baseline/artifacts/replicate_0/b')).toBe('late');
  });

  test.each([
    [
      "void ctx.artifact('b').write({});",
      'the writer dump_bytes of the output "b" threw TypeError: without a writer only text and bytes can be written, but got object; name a writer such as dump_json',
    ],
    ['', 'the output "b" (b.txt) is declared, but no step wrote it'],
    [
      "await ctx.artifact('b').write('1'); await ctx.artifact('b').write('2');",
      'step step writes the output "b" a second time; an artifact is written once',
    ],
    [
      "await ctx.artifact('bb').write('1');",
      'step step asked for the artifact "bb", which is not declared under outputs. Did you mean "b"?',
    ],
    [
      "await ctx.artifact('b').write('1'); fs.writeFileSync(ctx.artifact('b').path + '.bak', '');",
      'step step writes the output "b" a second time; an artifact is written once',
    ],
    [
      "const { path } = ctx.artifact('b'); fs.writeFileSync(path, ''); fs.writeFileSync(path + '.bak', '');",
      'the file b.txt.bak was written beside the artifacts, but is no file_name under outputs. Declare it, or write it elsewhere.',
    ],
    [
      "await ctx.artifact('b').write({});",
      'the writer dump_bytes of the output "b" threw TypeError: without a writer only text and bytes can be written, but got object; name a writer such as dump_json',
    ],
  ])('%s is refused', async (code, message) => {
    using lab = new Lab(
      experiment(
        'e',
        `import fs from 'node:fs';\nexport async function step(data: number, ctx: any) { ${code} }`,
        { outputs: { b: { file_name: 'b.txt' } } },
      ),
    );
    expect((await lab.run()).failures('e/baseline')).toEqual([`0: ${message}`]);
    expect(lab.files('e/results/baseline')).toEqual(['metrics.json', 'run.jsonl']);
  });

  test.each([
    ['{ loss: [1, { best: NaN }] }', 'NaN at $.loss.1.best is no JSON value'],
    ['{ a: {}, b: [[]], c: -Infinity }', '-Infinity at $.c is no JSON value'],
    ['{ f() {} }', 'f() {} at $.f is no JSON value'],
    ['NaN', 'NaN at $ is no JSON value'],
    ['undefined', 'undefined is no JSON value'],
  ])('dump_json refuses %s with its path', async (value, message) => {
    using lab = new Lab(
      experiment('e', `export const step = (data: number, ctx: any) => ctx.artifact('b').write(${value});`, {
        outputs: { b: { file_name: 'b.json', writer: 'dump_json' } },
      }),
    );
    expect((await lab.run()).failures('e/baseline')).toEqual([
      `0: the writer dump_json of the output "b" threw TypeError: ${message}`,
    ]);
  });

  test('a stream that a failing step leaves open harms no other replicate', async () => {
    using lab = new Lab(
      experiment(
        'e',
        `
export async function step(data: number, ctx: any) {
  const stream = ctx.artifact('b').stream();
  stream.write('text');
  if (data % 2 === 1) throw new Error('odd');
}
`,
        { outputs: { b: { file_name: 'b.txt' } }, replicates: 20 },
      ),
    );
    const ran = await lab.run();
    expect(new Set(ran.outcome('e/baseline').failures.map(({ failure }) => failure.reason))).toEqual(
      new Set(['step-threw']),
    );
    expect(lab.manifest('e/baseline').replicates).toHaveLength(10);
  });
});

describe('the user’s code', () => {
  const WORKSPACE = {
    'package.json': { private: true, type: 'module' },
    'tsconfig.base.json': {
      compilerOptions: { paths: { '@lab/maths': ['./libs/maths/index.ts'], '~/*': ['./shared/*'] } },
    },
    'libs/maths/index.ts': "export * from './add.js';\n",
    'libs/maths/add.ts': 'export function add(a: number, b: number): number { return a + b; }\n',
    'shared/units.ts': 'export enum Unit { Metre = 3, Foot }\n',
    'node_modules/only-esm/package.json': {
      name: 'only-esm',
      type: 'module',
      exports: { import: './index.js' },
    },
    'node_modules/only-esm/index.js': 'export const five = await Promise.resolve(5);\n',
    'libs/library/package.json': {
      name: '@lab/library',
      exports: { '.': './src/index.ts' },
      type: 'module',
    },
    'libs/library/src/index.ts': 'export const seven: number = 7;\n',
  };

  test.each(['ts', 'mts', 'js', 'mjs'])('loads from .%s modules', async (extension) => {
    const types = extension.endsWith('ts') ? ': any' : '';
    using lab = new Lab({
      ...WORKSPACE,
      'e/config.yaml': { datasource: { data: 'source' }, steps: ['step'] },
      [`e/datasources.${extension}`]: `export const source = (ctx${types}) => ctx.replicate + 1;`,
      [`e/steps.${extension}`]: `
import { withMetrics } from 'nx-experiments';
import { five } from 'only-esm';
import values from './values.json' with { type: 'json' };
export const step = (data${types}) => withMetrics(data, { five, values: values.list.length, url: Number(import.meta.url.endsWith('steps.${extension}')) });
`,
      'e/values.json': { list: [1, 2, 3] },
    });
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual([]);
    expect(lab.manifest('e/baseline').replicates[0]?.metrics).toEqual({ five: [5], values: [3], url: [1] });
  });

  test('may use paths of the tsconfig, enums, libraries of the workspace and siblings', async () => {
    using lab = new Lab({
      ...WORKSPACE,
      ...experiment(
        'e',
        `
import { add } from '@lab/maths';
import { seven } from '@lab/library';
import { Unit } from '~/units';
import { sibling } from './sibling';
import { sibling as again } from './sibling.ts';
import { sibling as compiled } from './sibling.js';
import type { StepContext } from 'nx-experiments';
export const step = (data: number, ctx: StepContext) => {
  ctx.metrics.add('all', add(seven, Unit.Foot));
  ctx.metrics.add('siblings', Number(sibling === again && again === compiled));
};
`,
      ),
      'e/sibling.ts': 'export const sibling = {} as const satisfies object;\n',
    });
    mkdirSync(join(lab.root, 'node_modules/@lab'));
    symlinkSync('../../libs/library', join(lab.root, 'node_modules/@lab/library'));
    const ran = await lab.run();
    expect(ran.failures('e/baseline')).toEqual([]);
    expect(lab.manifest('e/baseline').replicates[0]?.metrics).toEqual({ all: [11], siblings: [1] });
  });
});

describe('results', () => {
  test('are byte-identical from run to run, and have no path, time or host in them', async () => {
    using lab = new Lab({ ...experiment('e', DRAWS, DRAWING), ...PRODUCER, ...consumer() });
    await lab.run({ workers: 4 });
    const before = lab.snapshot();
    await lab.run({ workers: 1 });
    expect(lab.snapshot()).toEqual(before);
    const text = lab.read('e/results/baseline/metrics.json');
    expect(text).not.toContain(lab.root);
    expect(text).not.toContain(hostname());
    expect(text).not.toContain(String(new Date().getFullYear()));
    expect(Object.keys(JSON.parse(text))).toEqual([
      'version',
      'experiment',
      'condition',
      'replicates',
      'failed',
      'sha256',
    ]);
  });

  test('metrics.json has one replicate a line', async () => {
    using lab = new Lab(
      experiment('e', 'export const step = (d: number, ctx: any) => ctx.metrics.add("d", d || NaN);', {
        replicates: 2,
      }),
    );
    await lab.run();
    expect(lab.read('e/results/baseline/metrics.json').split('\n')).toEqual([
      '{"version":1,"experiment":"e","condition":"baseline",',
      '"replicates":[',
      '{"replicate":0,"seed":0,"metrics":{"d":["NaN"]},"artifacts":{}},',
      '{"replicate":1,"seed":31337,"metrics":{"d":[1]},"artifacts":{}}',
      '],',
      '"failed":[],',
      expect.stringMatching(/^"sha256":"[0-9a-f]{64}"\}$/),
      '',
    ]);
  });
});
