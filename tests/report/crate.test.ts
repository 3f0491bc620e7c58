import { describe, expect, test } from 'vitest';
import { renderCrate } from '../../plugin/report/crate/crate.ts';
import type { Dossier, DossierArtifact } from '../../plugin/report/dossier.ts';
import { compareConditions } from '../../plugin/report/model.ts';
import type { RunLog } from '../../plugin/report/run-log.ts';
import { manifestOf } from '../support/manifests.ts';

type Node = Readonly<Record<string, unknown>> & { readonly '@id': string; readonly '@type': string };

const LOG: RunLog = {
  startedAt: '2026-03-01T10:00:00.000Z',
  ms: 1500,
  reused: 1,
  versions: { 'nx-experiments': '0.1.0', node: '24.1.0' },
  platform: 'linux-x64',
  commit: 'a'.repeat(40),
  dirty: false,
  code: {},
  dependencies: undefined,
  failures: [],
};

const artifact = (condition: string, replicate: number, fileName = 'model.json'): DossierArtifact => ({
  condition,
  replicate,
  output: 'model',
  path: `${condition}/artifacts/replicate_${replicate}/${fileName}`,
  bytes: 12,
  sha256: String(replicate % 10).repeat(64),
  image: undefined,
});

const facts = (parameters: Record<string, number | null | { a: number }>) => ({
  digest: 'd'.repeat(64),
  parameters,
  datasource: { data: 'prep#table' },
});

const DOSSIER: Dossier = {
  report: compareConditions(
    {
      name: 'lab',
      description: 'Is a higher rate better?',
      facts: new Map([
        ['baseline', facts({ rate: 1, note: null })],
        ['high', facts({ rate: 2, note: { a: 1 } })],
      ]),
      missing: [{ condition: 'low', reason: 'it has no results' }],
    },
    [manifestOf('baseline', { loss: [1, 2] }), manifestOf('high', { loss: [0.5, undefined] })],
    [],
  ),
  version: '0.1.0',
  steps: ['train {"epochs":10}'],
  logs: new Map([['baseline', LOG]]),
  artifacts: [artifact('high', 0), artifact('baseline', 1), artifact('baseline', 0)],
  upstream: [
    {
      name: 'prep',
      conditions: { baseline: 'baseline', high: 'high' },
      parameters: {},
      artifacts: ['baseline', 'high'].map((condition, i) => ({
        condition,
        replicate: 0,
        output: 'table',
        fileName: 'table.csv',
        bytes: 7,
        sha256: String(i + 5).repeat(64),
      })),
    },
  ],
  graphLeftOut: 0,
  graphSvg: undefined,
  sources: [{ path: 'experiments/lab/steps.ts', sha256: 'c'.repeat(64) }],
};

const HOSTILE = '../a b%2F#?"</script>\u2028\ud800é/__proto__';

const hostile: Dossier = {
  ...DOSSIER,
  report: compareConditions(
    {
      name: HOSTILE,
      description: HOSTILE,
      facts: new Map([['baseline', { ...facts({}), parameters: { [HOSTILE]: HOSTILE, ['__proto__']: 1 } }]]),
      missing: [{ condition: HOSTILE, reason: HOSTILE }],
    },
    [manifestOf('baseline', { [HOSTILE]: [Number.NaN, undefined] })],
    [],
  ),
  logs: new Map([
    [
      'baseline',
      { ...LOG, startedAt: '2026-99-01T10:00:00.000Z', ms: 1e300, versions: { [HOSTILE]: HOSTILE } },
    ],
  ]),
  artifacts: [artifact('baseline', 0, 'a b/#1?é%.json'), artifact('baseline', 0, '\ud800.json')],
  steps: [HOSTILE],
};

const empty: Dossier = {
  ...DOSSIER,
  report: compareConditions({ name: 'lab', description: undefined }, [], []),
  logs: new Map(),
  artifacts: [],
  upstream: [],
  sources: [],
  steps: [],
};

function graphOf(dossier: Dossier): ReadonlyMap<string, Node> {
  const { '@graph': graph } = JSON.parse(renderCrate(dossier)) as { '@graph': Node[] };
  return new Map(graph.map((node) => [node['@id'], node]));
}

function listOf(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function targetsOf(node: Node | undefined, property: string): string[] {
  return listOf(node?.[property]).map((target) => (target as Node)['@id']);
}

describe.each(Object.entries({ small: DOSSIER, hostile, empty }))('the %s crate', (name, dossier) => {
  const text = renderCrate(dossier);
  const { '@context': context, '@graph': list } = JSON.parse(text) as {
    '@context': unknown;
    '@graph': Node[];
  };
  const graph = graphOf(dossier);
  const root = graph.get('./');
  const actions = list.filter((node) => node['@type'] === 'CreateAction');

  test('has the contexts of RO-Crate 1.1 and of the terms of runs', () => {
    expect(context).toEqual([
      'https://w3id.org/ro/crate/1.1/context',
      'https://w3id.org/ro/terms/workflow-run/context',
    ]);
  });

  test('is flat: every node has an id of its own and a type, and none holds another', () => {
    expect(list.length).toBe(graph.size);
    for (const node of list) {
      expect(node['@id']).toMatch(/./);
      expect(node['@type']).toMatch(/^[A-Z]/);
      for (const value of Object.values(node).flatMap(listOf)) {
        expect(value).not.toBeNull();
        if (typeof value === 'object') expect(Object.keys(value as object)).toEqual(['@id']);
      }
    }
  });

  test('refers to nothing that it does not describe, but for the specification', () => {
    const targets = list.flatMap((node) =>
      Object.values(node)
        .flatMap(listOf)
        .flatMap((value) => (typeof value === 'object' ? [(value as Node)['@id']] : [])),
    );
    expect(targets.filter((id) => !graph.has(id))).toEqual(['https://w3id.org/ro/crate/1.1']);
  });

  test('has URIs as ids: none of a character that a URI has not, none that leaves the root', () => {
    for (const id of graph.keys()) {
      expect(id).toMatch(/^[\w\-.~!$&'()*+,;=:@/?#%]+$/);
      expect(id.split(/[/]/)).not.toContain('..');
      expect(decodeURIComponent(id)).toBeTypeOf('string');
    }
  });

  test('has a descriptor that is about the root', () => {
    expect(graph.get('ro-crate-metadata.json')).toMatchObject({
      '@type': 'CreativeWork',
      about: { '@id': './' },
      conformsTo: { '@id': 'https://w3id.org/ro/crate/1.1' },
    });
  });

  test('has a root with name, description, license and profile', () => {
    expect(root).toMatchObject({
      '@type': 'Dataset',
      name: expect.stringMatching(/./),
      description: expect.stringMatching(/./),
      license: { '@id': '#license' },
      conformsTo: { '@id': 'https://w3id.org/ro/wfrun/process/0.5' },
    });
    expect(graph.get('https://w3id.org/ro/wfrun/process/0.5')).toMatchObject({
      '@type': 'CreativeWork',
      name: 'Process Run Crate',
      version: '0.5',
    });
    expect(graph.get('#license')).toMatchObject({ '@type': 'CreativeWork', name: expect.anything() });
  });

  test('lists each file in one folder, and each folder in the root', () => {
    const folders = targetsOf(root, 'hasPart').map((id) => graph.get(id));
    expect(folders.every((folder) => folder?.['@type'] === 'Dataset')).toBe(true);
    const listed = folders.flatMap((folder) => targetsOf(folder, 'hasPart'));
    const files = list.filter((node) => node['@type'] === 'File').map((node) => node['@id']);
    expect(listed).toEqual(files);
    expect(listed.every((id) => !/^[a-z]+:|^#|^\//.test(id))).toBe(true);
  });

  test('mentions an action for each condition, and the comparison', () => {
    expect(targetsOf(root, 'mentions')).toEqual(actions.map((action) => action['@id']));
    expect(actions).toHaveLength(dossier.report.conditions.length + 1);
  });

  test('has actions with name, description, instrument and result, each of a type that the profile allows', () => {
    for (const action of actions) {
      expect(action).toMatchObject({
        name: expect.stringMatching(/./),
        description: expect.stringMatching(/./),
      });
      const types = (property: string) => targetsOf(action, property).map((id) => graph.get(id)?.['@type']);
      expect(types('instrument')).toEqual(['SoftwareApplication']);
      expect(types('result').length).toBeGreaterThan(0);
      for (const type of [...types('object'), ...types('result')])
        expect(['File', 'Dataset', 'Collection', 'CreativeWork', 'PropertyValue']).toContain(type);
    }
  });

  test('has times with an offset, and an error only where something failed', () => {
    for (const action of actions) {
      for (const time of [action.startTime, action.endTime])
        if (time !== undefined) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
      const failed = action.actionStatus === 'http://schema.org/FailedActionStatus';
      if (!failed && action.actionStatus !== undefined)
        expect(action.actionStatus).toBe('http://schema.org/CompletedActionStatus');
      expect('error' in action).toBe(failed);
    }
  });

  test('has software and values with names', () => {
    for (const node of list.filter(({ '@type': type }) => /Software|PropertyValue/.test(type)))
      expect(node.name).toBeTypeOf('string');
    for (const node of list.filter((one) => one['@type'] === 'PropertyValue'))
      expect(node.value).toBeDefined();
  });

  test(`is that of tests/golden/report/crate-${name}.json`, async () => {
    await expect(text).toMatchFileSnapshot(`../golden/report/crate-${name}.json`);
  });
});

describe('what the small crate says', () => {
  const graph = graphOf(DOSSIER);

  test('was published when the last run ended, and not at all where no log tells', () => {
    expect(graph.get('./')?.datePublished).toBe('2026-03-01T10:00:01.500+00:00');
    expect(graphOf(empty).get('./')).not.toHaveProperty('datePublished');
  });

  test('a run reads sources, its own parameters, and upstream at its own condition', () => {
    const read = targetsOf(graph.get('#run/high'), 'object').map((id) => graph.get(id)?.description ?? id);
    expect(read).toEqual([
      'Code that the experiment runs',
      '#parameter/high/note',
      '#parameter/high/rate',
      'Output table of the experiment prep under high',
    ]);
  });

  test('a run results in its own artifacts, with digests that are those of their content', () => {
    const [metrics, ...artifacts] = targetsOf(graph.get('#run/baseline'), 'result').map((id) =>
      graph.get(id),
    );
    expect(metrics).toMatchObject({ '@id': 'baseline/metrics.json', sha256: 'd'.repeat(64) });
    expect(artifacts.slice(0, 2)).toMatchObject([{ sha256: '0'.repeat(64) }, { sha256: '1'.repeat(64) }]);
  });

  test('a run with a failed replicate failed, and says why', () => {
    expect(graph.get('#run/high')?.error).toBe('replicate 1: step run threw Error: no');
  });

  test('conditions that ran with other versions have another instrument', () => {
    const logs = new Map([
      ['baseline', LOG],
      ['high', { ...LOG, dirty: true }],
    ]);
    const mixed = graphOf({ ...DOSSIER, logs });
    expect(mixed.get('#experiment')?.softwareVersion).toBe('a'.repeat(40));
    expect(mixed.get('#experiment/2')?.softwareVersion).toBe(`${'a'.repeat(40)}-dirty`);
  });

  test('equal content outside of the crate is one entity under all its names', () => {
    const sources = ['a.ts', 'b.ts'].map((path) => ({ path, bytes: 0, sha256: 'e'.repeat(64) }));
    const names = [...graphOf({ ...DOSSIER, sources }).values()].filter(
      ({ sha256 }) => sha256 === 'e'.repeat(64),
    );
    expect(names).toMatchObject([{ name: 'a.ts', alternateName: ['b.ts'] }]);
  });
});

test('the order in which artifacts and logs came does not matter', () => {
  const reversed = { ...DOSSIER, artifacts: [...DOSSIER.artifacts].reverse() };
  expect(renderCrate(reversed)).toBe(renderCrate(DOSSIER));
});
