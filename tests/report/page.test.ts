import { describe, expect, test } from 'vitest';
import { compareConditions, type ReportModel } from '../../plugin/report/model.ts';
import { loadCharts } from '../../plugin/report/page/draw.ts';
import { renderPage } from '../../plugin/report/page/page.ts';
import { artifactOf, dossierOf, logOf, richDossier, testedVerdicts, waves } from '../support/dossiers.ts';
import { manifestOf } from '../support/manifests.ts';

const LAB = { name: 'lab', description: undefined };

test('a small page', async () => {
  const manifests = [
    manifestOf('baseline', { accuracy: [0.5, 0.75, 1] }),
    manifestOf('high_lr', { accuracy: [0.75, 1, undefined] }),
  ];
  const report = compareConditions(
    { name: 'lab', description: 'Is a higher rate better?' },
    manifests,
    testedVerdicts('better', 'accuracy', manifests, { better: 'higher' }),
  );
  const page = await renderPage(dossierOf(report, { logs: new Map([['baseline', logOf()]]) }));
  await expect(page).toMatchFileSnapshot('../golden/report/report.html');
});

test('the same dossier gives the same bytes, whatever fonts measure', async () => {
  const first = await renderPage(richDossier());
  const textMetrics = (await loadCharts()).textMetrics as { width: unknown; height: unknown };
  const { width, height } = textMetrics;
  try {
    textMetrics.width = () => 1000;
    textMetrics.height = () => 100;
    expect(await renderPage(richDossier())).toBe(first);
  } finally {
    Object.assign(textMetrics, { width, height });
  }
});

test('a page without metrics says so', async () => {
  const page = await renderPage(dossierOf(compareConditions(LAB, [manifestOf('baseline', {})], [])));
  expect(page).toContain('<p>No metrics were recorded.</p>');
  expect(page).not.toContain('<svg');
});

const HOSTILE = {
  'a closing tag': '</svg></style></title></pre><script>alert(1)</script>',
  'an attribute': `"><img src=x onerror=alert(1)> ' onload='alert(1)`,
  'a comment': ']]> --> <!-- <?php',
  'a scheme': 'javascript:alert(1)//..%2f',
  'a way out': '../../../etc/passwd',
  'an entity': '&lt;script&gt;&#60;script&#62;',
  'control characters': 'a\u0000\u001b[31m\u202eb\u2028c\u2066d\ud800',
  'an expression': `datum["x"] + '\\u003cscript' + warn(1)`,
};

/** A page with this text wherever a text may come from outside. */
function hostilePage(text: string): Promise<string> {
  const manifests = [
    manifestOf('baseline', { [text]: [1, 2, 3] }),
    manifestOf(text, { [text]: [2, 3.5, 4, undefined] }),
  ];
  const report: ReportModel = compareConditions(
    {
      name: text,
      description: text,
      facts: new Map([
        ['baseline', { digest: text, parameters: {}, datasource: {} }],
        [text, { digest: text, parameters: { [text]: text }, datasource: { [text]: text } }],
      ]),
      missing: [{ condition: text, reason: text }],
    },
    manifests,
    [
      ...testedVerdicts(text, text, manifests),
      {
        hypothesis: text,
        verifier: text,
        condition: text,
        metrics: [text],
        builtIn: false,
        better: undefined,
        corrected: undefined,
        gate: text,
        result: { ok: true, values: { [text]: text } },
      },
      {
        hypothesis: `${text} too`,
        verifier: text,
        condition: text,
        metrics: [text],
        builtIn: false,
        better: undefined,
        corrected: undefined,
        gate: undefined,
        result: { ok: false, message: text },
      },
    ],
  );
  const log = logOf([{ replicate: 3, message: text, stack: text }]);
  return renderPage(
    dossierOf(report, {
      version: text,
      steps: [text],
      logs: new Map([[text, { ...log, platform: text, versions: { [text]: text } }]]),
      artifacts: [
        artifactOf({ condition: text, output: text, path: text, sha256: text }),
        artifactOf({ condition: text, output: text, path: text, image: `data:image/png;base64,${text}` }),
      ],
      upstream: [
        {
          name: text,
          conditions: { [text]: text },
          parameters: { [text]: { [text]: text }, baseline: {} },
          artifacts: [],
        },
      ],
      graphLeftOut: 0,
      graphSvg: `<svg>${text}<script>alert(1)</script></svg>`,
      sources: [{ path: text, sha256: text }],
    }),
  );
}

/** Every tag with its attributes, as a parser of HTML would read this well-formed page. */
function tagsOf(page: string): string[] {
  return page.replace(/<style>.*?<\/style>/s, '').match(/<[a-z!/](?:[^"'>]|"[^"]*"|'[^']*')*>/gi) ?? [];
}

const KNOWN_TAGS =
  /^<(?:!doctype|\/?(?:html|head|meta|title|body|main|header|nav|section|article|h[1-3]|p|a|strong|small|code|pre|mark|span|time|ul|li|dl|dt|dd|table|thead|tbody|tr|th|td|div|figure|figcaption|details|summary|img|svg|g|path|line|text))[ >]/;
const KNOWN_ATTRIBUTES =
  /^(?:lang|charset|http-equiv|content|name|id|class|role|tabindex|scope|href|title|src|alt|width|height|datetime|aria-[a-z]+|xmlns|xmlns:xlink|version|viewBox|fill|stroke|stroke-[a-z]+|opacity|transform|d|x2|y2|text-anchor|font-[a-z]+|pointer-events|display|html)$/;

describe.each(Object.entries(HOSTILE))('with %s in every text', (_what, text) => {
  test('the page has no element and no attribute that is not ours', async () => {
    for (const tag of tagsOf(await hostilePage(text))) {
      expect(tag).toMatch(KNOWN_TAGS);
      const attributes = tag
        .replace(/^<\/?!?[a-z0-9]+/i, '')
        .replace(/"[^"]*"/g, '')
        .match(/[^\s=>/]+/g);
      for (const attribute of attributes ?? []) expect(attribute).toMatch(KNOWN_ATTRIBUTES);
    }
  });
  test('links stay below the results folder', async () => {
    const hrefs = [...(await hostilePage(text)).matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href);
    expect(hrefs.length).toBeGreaterThan(0);
    for (const href of hrefs) {
      const { origin, pathname } = new URL(href, 'https://example.org/results/report/report.html');
      expect(origin).toBe('https://example.org');
      expect(pathname).toMatch(/^\/results\//);
    }
  });
  test('nothing in it moves a cursor or turns the direction', async () => {
    expect((await hostilePage(text)).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
  });
  test('an image of the experiment is an image or not there', async () => {
    for (const [, src = ''] of (await hostilePage(text)).matchAll(/src="([^"]*)"/g))
      expect(src).toMatch(/^data:image\/[a-z+]+;base64,[A-Za-z0-9+/=]*$/);
  });
});

const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  'not a number': [Number.NaN, Number.NaN, 1],
  'only not a number': [Number.NaN, Number.NaN],
  infinities: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1],
  'one constant': [3, 3, 3],
  'zeros only': [0, -0, 0],
  'one value': [0.5],
  'nothing at all': [],
  'huge numbers': [1e300, -1e300, 1.7e308, -1.7e308],
  'tiny numbers': [1e-300, 2e-300, -1e-300, 5e-324],
  'the tiniest number': [5e-324, 5e-324, 5e-324],
  'huge and tiny numbers': [1e300, 1e-300],
  'neighbouring numbers': [0.1 + 0.2, 0.3, 0.3],
  'a large constant with small differences': [1e15, 1e15 + 1, 1e15 + 2],
};

describe.each(Object.entries(NUMBERS))('with %s', (_what, values) => {
  test('charts have finite coordinates only', async () => {
    const manifests = [
      manifestOf('baseline', { value: values, other: [1] }),
      manifestOf('high', { value: [...values].reverse(), other: [2] }),
    ];
    const page = await renderPage(dossierOf(compareConditions(LAB, manifests, [])));
    const drawn = [...page.matchAll(/<svg.*?<\/svg>/g)].join('');
    expect(drawn).toContain('<text');
    expect(drawn).not.toMatch(/NaN|Infinity|undefined|null/);
    // Of what cannot be drawn, Vega says so on the terminal only.
    expect(page).not.toContain('.NaN~');
    for (const [, x, y] of drawn.matchAll(/translate\(([^,)]*),([^,)]*)\)/g)) {
      expect(Math.abs(Number(x))).toBeLessThanOrEqual(500);
      expect(Math.abs(Number(y))).toBeLessThanOrEqual(500);
    }
  });
});

test('names of 200 characters and 40 conditions fit', async () => {
  const manifests = Array.from({ length: 40 }, (_, i) =>
    manifestOf(i === 0 ? 'baseline' : `${'n'.repeat(200)}${i}`, { ['m'.repeat(200)]: waves(5, i, 1) }),
  );
  const page = await renderPage(dossierOf(compareConditions(LAB, manifests, [])));
  expect(page.match(/<text[^>]*>n+…n+\d+<\/text>/g)).toHaveLength(2 * 39);
});

test('the page says over how many p-values it corrects, as the table does', async () => {
  const manifests = [
    manifestOf('baseline', { value: [1, 2, 3], same: [1, 1, 1] }),
    manifestOf('high', { value: [2, 2.5, 4], same: [1, 1, 1] }),
  ];
  const page = await renderPage(dossierOf(compareConditions(LAB, manifests, [])));
  expect(page).toContain("corrected by Holm's method over the 1 comparison here");
});

test('of many replicates, densities count every one', async () => {
  const manifests = ['baseline', 'high'].map((name, i) => manifestOf(name, { value: waves(1000, i, 1, i) }));
  const page = await renderPage(dossierOf(compareConditions(LAB, manifests, [])));
  const [, spec = ''] = /<pre[^>]*>(.*?)<\/pre>/s.exec(page) ?? [];
  const counts = [...spec.matchAll(/&quot;count&quot;:(\d+)/g)].map(([, count]) => Number(count));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000);
});

test('of a few replicates, every one is drawn, however many conditions and metrics there are', async () => {
  const names = Array.from({ length: 40 }, (_, i) => `metric_${i}`);
  const manifests = ['baseline', ...Array.from({ length: 25 }, (_, i) => `t${i}`)].map((condition, c) =>
    manifestOf(condition, Object.fromEntries(names.map((name, i) => [name, waves(8, i, 1, c)]))),
  );
  const page = await renderPage(dossierOf(compareConditions(LAB, manifests, [])));
  expect(page.match(/<figcaption>All replicates/g)).toHaveLength(40);
});

test('hundreds of artifacts are folded, and those not listed are counted', async () => {
  const page = await renderPage(richDossier());
  expect(page.match(/<details><summary>baseline: 401 artifacts/g)).toHaveLength(1);
  expect(page).toContain('301 more artifacts in <a href="../baseline/artifacts">');
  expect(page).toContain('href="../high_lr/artifacts/replicate_0/curve%20of%20100%20%25.png"');
});

test('what differs from the baseline is marked by a sign and a word', async () => {
  const page = await renderPage(richDossier());
  expect(page).toContain('<span class="hidden">differs: </span>0.1</mark>');
  expect(page).not.toContain('<span class="hidden">differs: </span>10</mark>');
});

test('beyond forty metrics there are tables only, and the page stays small', async () => {
  const names = Array.from({ length: 200 }, (_, i) => `metric_${i}`);
  const manifests = ['baseline', 'high'].map((condition, c) =>
    manifestOf(condition, Object.fromEntries(names.map((name, i) => [name, waves(200, i, 1, c)]))),
  );
  const page = await renderPage(dossierOf(compareConditions(LAB, manifests, [])));
  expect(page.match(/<svg/g)).toHaveLength(2 * 40);
  expect(page.match(/<table>/g)).toHaveLength(200 + 1);
  expect(page.length).toBeLessThan(3e6);
});

test('a metric that was recorded several times in a replicate is said to count with its mean', async () => {
  const manifest = {
    ...manifestOf('baseline', {}),
    replicates: [{ replicate: 0, seed: 0, metrics: { loss: [1, 2, 6] }, artifacts: {} }],
  };
  const page = await renderPage(dossierOf(compareConditions(LAB, [manifest], [])));
  expect(page).toContain('Recorded several times in a replicate: its mean counts.');
});

test('what failed is told with its stack, and what is missing with its reason', async () => {
  const page = await renderPage(richDossier());
  expect(page).toContain('<h3>high_lr: 2 of 30 replicates failed</h3>');
  expect(page).toContain('<p>Replicate 28 (seed 877436): step run threw Error: no</p>');
  expect(page).toContain('at fit (experiments/train/steps.ts:12:9)\nat loop');
  expect(page).toContain('<strong>huge</strong> has no results: every replicate failed');
});
