import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareConditions } from '../../plugin/report/model.ts';
import { renderPage } from '../../plugin/report/page/page.ts';
import { dossierOf, richDossier, waves } from '../support/dossiers.ts';
import { manifestOf } from '../support/manifests.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const found = existsSync(CHROMIUM);
if (!found) console.warn(`Skipped: no Chromium at ${CHROMIUM}. Install it, or set CHROMIUM to its path.`);

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];
const SCHEMES = ['light', 'dark'] as const;

interface Chart {
  readonly width: number;
  readonly height: number;
  readonly marks: number;
  readonly texts: readonly { readonly text: string; readonly size: number; readonly inside: boolean }[];
}

/** Sources, not functions: they run in the browser, whose names are none of ours. */
const LOOK_AT_CHARTS = `[...document.querySelectorAll('.chart')].map((chart) => {
  const { width, height } = chart.getBoundingClientRect();
  const scale = chart.querySelector('svg').getScreenCTM().a;
  return {
    width,
    height,
    marks: chart.querySelectorAll('.mark-symbol path, .mark-area path').length,
    texts: [...chart.querySelectorAll('text')].map((text) => ({
      text: text.textContent,
      size: Number.parseFloat(getComputedStyle(text).fontSize) * scale,
      inside: text.getBoundingClientRect().left >= 0 && text.getBoundingClientRect().right <= innerWidth,
    })),
  };
})`;

const LOOK_AT_COLOURS = `(() => {
  const seen = new Set();
  const colours = [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color];
  for (const mark of document.querySelectorAll('.chart :is(text, path, line)[fill], .chart :is(path, line)[stroke]')) {
    const key = mark.getAttribute('fill') + mark.getAttribute('stroke');
    const { fill, stroke, opacity } = getComputedStyle(mark);
    if (opacity === '0' || seen.has(key)) continue;
    seen.add(key);
    colours.push(fill + stroke);
  }
  return colours;
})()`;

const UNFOLD = `for (const details of document.querySelectorAll('details')) details.open = true`;

const RUN_AXE = `axe.run().then(({ violations }) =>
  violations.map(({ id, impact, nodes }) => impact + ' ' + id + ': ' + nodes[0].html.slice(0, 200)))`;

/** Much of everything: conditions, replicates, long names. */
function largeDossier() {
  const manifests = Array.from({ length: 40 }, (_, i) =>
    manifestOf(i === 0 ? 'baseline' : `condition_${i}_${'long'.repeat(i)}`, {
      [`metric_${'w'.repeat(120)}`]: waves(300, i / 10, 1, i),
    }),
  );
  return dossierOf(compareConditions({ name: 'x'.repeat(100), description: 'y'.repeat(300) }, manifests, []));
}

const PAGES = { rich: richDossier, large: largeDossier };

describe.skipIf(!found)('in a real Chromium', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  const place = (name: string): string => pathToFileURL(join(folder, `${name}.html`)).href;

  beforeAll(async () => {
    for (const [name, dossier] of Object.entries(PAGES))
      writeFileSync(join(folder, `${name}.html`), await renderPage(dossier()));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const views = Object.keys(PAGES).flatMap((name) =>
    SIZES.flatMap((viewport) => SCHEMES.map((colorScheme) => ({ name, viewport, colorScheme }))),
  );

  describe.each(views)('the $name page, $viewport.width wide, $colorScheme', (view) => {
    test('says, fetches and runs nothing', async () => {
      await using context = await browser.newContext(view);
      const page = await context.newPage();
      const said: string[] = [];
      const requested: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(error.message));
      page.on('request', (request) => requested.push(request.url()));
      await page.goto(place(view.name));
      await page.evaluate('scrollTo(0, document.body.scrollHeight)');
      expect(said).toEqual([]);
      expect(requested.filter((url) => !url.startsWith('data:'))).toEqual([place(view.name)]);
    });

    test('shows charts that can be read, and is not wider than the screen', async () => {
      await using context = await browser.newContext(view);
      const page = await context.newPage();
      await page.goto(place(view.name));
      const charts = await page.evaluate<Chart[]>(LOOK_AT_CHARTS);
      expect(charts).toHaveLength(view.name === 'rich' ? 4 : 2);
      for (const { width, height, marks, texts } of charts) {
        expect(width).toBeGreaterThan(300);
        expect(height).toBeGreaterThan(80);
        expect(marks).toBeGreaterThan(0);
        expect(texts.filter(({ size }) => size < 9)).toEqual([]);
        expect(texts.filter(({ inside }) => !inside)).toEqual([]);
      }
      await page.evaluate(UNFOLD);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
        view.viewport.width,
      );
    });

    // Forty conditions take axe long, and are no other elements than three.
    const check = view.name === 'rich' ? test : undefined;
    check?.('has no violation that axe calls serious', async () => {
      // What axe runs would be kept from running by the policy of the page.
      await using context = await browser.newContext({ ...view, bypassCSP: true });
      const page = await context.newPage();
      await page.goto(place(view.name));
      await page.evaluate(UNFOLD);
      await page.addScriptTag({ content: AXE });
      const violations = await page.evaluate<string[]>(RUN_AXE);
      expect(violations.filter((violation) => /^(serious|critical)/.test(violation))).toEqual([]);
    });
  });

  test('colours follow the scheme, in charts too', async () => {
    const colours: string[][] = [];
    for (const colorScheme of SCHEMES) {
      await using context = await browser.newContext({ colorScheme });
      const page = await context.newPage();
      await page.goto(place('rich'));
      colours.push(await page.evaluate<string[]>(LOOK_AT_COLOURS));
    }
    const [light = [], dark = []] = colours;
    expect(light).toHaveLength(dark.length);
    expect(light.length).toBeGreaterThan(4);
    for (const [i, colour] of light.entries()) expect(colour).not.toBe(dark[i]);
  });

  test.each(SCHEMES)('can be printed from a %s screen, in dark ink', async (colorScheme) => {
    await using context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    await page.goto(place('rich'));
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.length).toBeGreaterThan(10_000);
    await page.emulateMedia({ media: 'print', colorScheme });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
  });
});
