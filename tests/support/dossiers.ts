import type { Hypothesis } from '../../plugin/config/config.ts';
import type { Dossier, DossierArtifact } from '../../plugin/report/dossier.ts';
import { judge, testValues } from '../../plugin/report/judge.ts';
import { compareConditions, type ReportModel, type Verdict } from '../../plugin/report/model.ts';
import { parseRunLog } from '../../plugin/report/run-log.ts';
import type { ConditionManifest } from '../../plugin/runtime/manifest.ts';
import { manifestOf } from './manifests.ts';

const SHA = '0123456789abcdef'.repeat(4);

/** A red pixel. */
export const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** What a page shows of an experiment about which nothing is known but its numbers. */
export function dossierOf(report: ReportModel, more: Partial<Dossier> = {}): Dossier {
  return {
    report,
    version: '1.2.3',
    steps: [],
    logs: new Map(),
    artifacts: [],
    upstream: [],
    graphLeftOut: 0,
    graphSvg: undefined,
    sources: [],
    ...more,
  };
}

export function artifactOf(more: Partial<DossierArtifact> = {}): DossierArtifact {
  const { condition = 'baseline', replicate = 0 } = more;
  return {
    condition,
    replicate,
    output: 'model',
    path: `${condition}/artifacts/replicate_${replicate}/model.json`,
    bytes: 2345,
    sha256: SHA,
    image: undefined,
    ...more,
  };
}

/** As the runner writes it. */
export function logOf(failures: readonly { replicate: number; message: string; stack: string }[] = []) {
  const lines = [
    {
      type: 'provenance',
      commit: 'c0ffee'.padEnd(40, '0'),
      dirty: true,
      platform: 'linux-x64',
      versions: { node: '22.1.0' },
    },
    ...failures.map((failure) => ({ type: 'failure', retrying: false, ...failure })),
    { type: 'condition', startedAt: '2026-01-02T03:04:05.678Z', ms: 61_234, reused: 2 },
  ];
  return parseRunLog(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Verdicts of a built-in test on one metric, of every condition but the baseline; a paired t test when nothing is said. */
export function testedVerdicts(
  hypothesis: string,
  metric: string,
  manifests: readonly ConditionManifest[],
  more: Partial<Hypothesis> = {},
): Verdict[] {
  const [baseline, ...treatments] = manifests;
  if (baseline === undefined) return [];
  const of = {
    name: hypothesis,
    verifier: 'paired_t_test',
    metricGroups: [[metric]],
    alpha: 0.05,
    alternative: 'two-sided',
    margin: Number.NaN,
    correction: 'holm',
    require: undefined,
    better: undefined,
    at: { file: 'config.yaml', start: 0, end: 0 },
    ...more,
  } as const satisfies Hypothesis;
  return judge(
    treatments.map((treatment) => ({
      hypothesis,
      verifier: of.verifier,
      condition: treatment.condition,
      metrics: [metric],
      builtIn: true,
      result: { ok: true, values: testValues(of, metric, baseline, treatment) },
      of,
    })),
  );
}

/** Values that look random and are not. */
export function waves(n: number, center: number, spread: number, phase = 0): number[] {
  return Array.from(
    { length: n },
    (_, i) => center + spread * (Math.sin(i * 12.9898 + phase) + Math.sin(i * 4.1414 + phase * 3)) * 0.7,
  );
}

/** Something of everything that a page can show. */
export function richDossier(): Dossier {
  const manifests = [
    manifestOf('baseline', { accuracy: waves(30, 0.71, 0.05), seconds: waves(30, 12, 2) }),
    manifestOf('high_lr', {
      accuracy: [...waves(28, 0.78, 0.05, 0.2), undefined, undefined],
      seconds: [...waves(28, 12.1, 2, 1), undefined, undefined],
    }),
    manifestOf('small_model', { accuracy: waves(30, 0.66, 0.06, 2), seconds: waves(30, 5, 0.9) }),
  ];
  const parameters = { epochs: 10, learning_rate: 0.01, layers: [64, 64] };
  const facts = (own: object, model = 'producer#model') => ({
    digest: SHA,
    parameters: { ...parameters, ...own },
    datasource: { model },
  });
  const report = compareConditions(
    {
      name: 'train',
      description: 'Does a higher learning rate train a better model?',
      facts: new Map([
        ['baseline', facts({})],
        ['high_lr', facts({ learning_rate: 0.1 })],
        ['small_model', facts({ layers: [16] }, 'small#model')],
      ]),
      missing: [
        { condition: 'huge', reason: 'every replicate failed; step fit threw RangeError: too large' },
      ],
    },
    manifests,
    [
      ...testedVerdicts('trains better', 'accuracy', manifests, { better: 'higher' }),
      ...testedVerdicts('is faster', 'seconds', manifests, { better: 'lower', require: 'significant' }),
    ],
  );
  const failure = {
    message: 'step run threw Error: no',
    stack: 'at fit (experiments/train/steps.ts:12:9)\nat loop (experiments/train/steps.ts:40:3)',
  };
  return dossierOf(report, {
    steps: ['load', 'fit {"epochs":10}', 'score'],
    logs: new Map([
      ['baseline', logOf()],
      ['high_lr', logOf([28, 29].map((replicate) => ({ replicate, ...failure })))],
    ]),
    artifacts: [
      ...Array.from({ length: 400 }, (_, replicate) => artifactOf({ replicate })),
      ...['baseline', 'high_lr', 'small_model'].map((condition) =>
        artifactOf({
          condition,
          output: 'curve',
          path: `${condition}/artifacts/replicate_0/curve of 100 %.png`,
          image: PIXEL,
        }),
      ),
    ],
    upstream: [
      {
        name: 'producer',
        conditions: { baseline: 'baseline', high_lr: 'high_lr' },
        parameters: { baseline: { noise: 0.1 }, high_lr: { noise: 0.3 } },
        artifacts: [],
      },
    ],
    graphLeftOut: 0,
    graphSvg:
      '<?xml version="1.0"?>\n<svg width="120pt" height="60pt" viewBox="0 0 120 60" xmlns="http://www.w3.org/2000/svg"><rect width="120" height="60" fill="#eee"/><text x="10" y="35">producer</text></svg>\n',
    sources: [{ path: 'experiments/train/steps.ts', sha256: SHA }],
  });
}
