import { describe, expect, test } from 'vitest';
import { sha256 } from '../../plugin/base/digest.ts';
import {
  type ConditionManifest,
  encodeManifest,
  furtherArtifacts,
  parseManifest,
} from '../../plugin/runtime/manifest.ts';

const MANIFEST: ConditionManifest = {
  experiment: 'lab',
  condition: 'high_lr',
  replicates: [
    {
      replicate: 0,
      seed: 42,
      metrics: {
        loss: [0.1, Number.NaN],
        'odd "name"\n': [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      },
      artifacts: { report: { fileName: 'report.json', bytes: 2, sha256: 'ab' } },
    },
    { replicate: 2, seed: 62_716, metrics: {}, artifacts: {} },
  ],
  failed: [{ replicate: 1, seed: 31_379, reason: 'step run threw Error: no' }],
};

test('what was written is read back, not-a-number and infinities too', () => {
  expect(parseManifest(encodeManifest(MANIFEST))).toEqual(MANIFEST);
});

test('one replicate is one line, in order, whatever the order in which they finished', () => {
  const shuffled = { ...MANIFEST, replicates: [...MANIFEST.replicates].reverse() };
  expect(encodeManifest(shuffled)).toBe(encodeManifest(MANIFEST));
  expect(encodeManifest(MANIFEST)).toMatchInlineSnapshot(`
    "{"version":1,"experiment":"lab","condition":"high_lr",
    "replicates":[
    {"replicate":0,"seed":42,"metrics":{"loss":[0.1,"NaN"],"odd \\"name\\"\\n":["Infinity","-Infinity"]},"artifacts":{"report":{"fileName":"report.json","bytes":2,"sha256":"ab"}}},
    {"replicate":2,"seed":62716,"metrics":{},"artifacts":{}}
    ],
    "failed":[
    {"replicate":1,"seed":31379,"reason":"step run threw Error: no"}
    ],
    "sha256":"d378c82c0f6a3b959e452f6a92c83845af78a0da9d3370619f61564d5c16ab52"}
    "
  `);
});

test('nothing that ran is a manifest as well', () => {
  const empty = { experiment: 'lab', condition: 'baseline', replicates: [], failed: [] };
  expect(parseManifest(encodeManifest(empty))).toEqual(empty);
});

/** A manifest that says this, whatever it is, with a digest that is right. */
function sealed(value: unknown): string {
  const body = `${JSON.stringify(value).slice(0, -1)},`;
  return `${body}"sha256":"${sha256(body)}"}\n`;
}

test('a digest that is right is what makes the others fail for their own reason', () => {
  const { sha256: _, ...good } = JSON.parse(encodeManifest(MANIFEST));
  expect(parseManifest(sealed(good))).toEqual(MANIFEST);
});

describe('is no manifest:', () => {
  const { sha256: _, ...good } = JSON.parse(encodeManifest(MANIFEST));
  const [first] = good.replicates;
  const withReplicate = (change: object): unknown => ({ ...good, replicates: [{ ...first, ...change }] });
  test.each<[string, unknown]>([
    ['another version', { ...good, version: 2 }],
    ['no experiment', { ...good, experiment: undefined }],
    ['replicates that are no list', { ...good, replicates: {} }],
    ['a replicate that is null', { ...good, replicates: [null] }],
    ['a negative replicate', withReplicate({ replicate: -1 })],
    ['half a replicate', withReplicate({ replicate: 0.5 })],
    ['a seed that is text', withReplicate({ seed: '42' })],
    ['metrics that are a list', withReplicate({ metrics: [] })],
    ['a metric that is one number', withReplicate({ metrics: { loss: 1 } })],
    ['a value that is text', withReplicate({ metrics: { loss: ['1'] } })],
    ['a value that is null', withReplicate({ metrics: { loss: [null] } })],
    ['an artifact without a digest', withReplicate({ artifacts: { a: { fileName: 'a', bytes: 1 } } })],
    [
      'an artifact of negative size',
      withReplicate({ artifacts: { a: { fileName: 'a', bytes: -1, sha256: '' } } }),
    ],
    ['a failure without a reason', { ...good, failed: [{ replicate: 0, seed: 0 }] }],
  ])('%s', (_what, value) => {
    expect(parseManifest(sealed(value))).toBeUndefined();
  });

  test.each(['{}', 'null', '[]', ''])('%s', (text) => {
    expect(parseManifest(text)).toBeUndefined();
  });

  test('one in which any character was changed', () => {
    const text = encodeManifest(MANIFEST);
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1);
      expect(parseManifest(changed)).toBeUndefined();
    }
  });

  test('half a file', () => {
    const text = encodeManifest(MANIFEST);
    for (let end = 0; end < text.length - 1; end++) expect(parseManifest(text.slice(0, end))).toBeUndefined();
  });
});

test('keys that every object has are data like any other', () => {
  const { sha256: _, ...good } = JSON.parse(encodeManifest(MANIFEST).replace('"loss"', '"__proto__"'));
  const parsed = parseManifest(sealed(good));
  expect(Object.keys(parsed?.replicates[0]?.metrics ?? {})).toContain('__proto__');
  expect(({} as Record<string, unknown>)[0]).toBeUndefined();
});

test('artifacts of replicates beyond the declared ones are told apart, in order', () => {
  const record = (replicate: number) => ({
    replicate,
    seed: 1,
    metrics: {},
    artifacts: { report: { fileName: 'report.json', bytes: 2, sha256: `${replicate}` } },
  });
  const manifest = { ...MANIFEST, replicates: [3, 0, 2, 1].map(record) };
  expect(furtherArtifacts(manifest, 2)).toBe(
    '{\n"replicate_2":{"report":{"fileName":"report.json","bytes":2,"sha256":"2"}},\n' +
      '"replicate_3":{"report":{"fileName":"report.json","bytes":2,"sha256":"3"}}\n}\n',
  );
  expect(furtherArtifacts(manifest, 4)).toBeUndefined();
  expect(furtherArtifacts({ ...MANIFEST, replicates: [{ ...record(5), artifacts: {} }] }, 2)).toBeUndefined();
});
