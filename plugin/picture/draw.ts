import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { SettingsError } from '../base/settings-error.ts';
import { writeWhole } from '../io/writing/write-whole.ts';
import { renderDot } from './dot.ts';
import { renderHtml } from './html.ts';
import { renderMermaid } from './mermaid.ts';
import type { Picture } from './model.ts';

export const PICTURE_FORMATS = ['svg', 'png', 'html', 'dot', 'mermaid', 'json'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, PictureFormat>> = {
  '.svg': 'svg',
  '.png': 'png',
  '.html': 'html',
  '.htm': 'html',
  '.dot': 'dot',
  '.gv': 'dot',
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.json': 'json',
};

/** Pixels for each of Graphviz's points. */
const SCALE = 2;

/** @throws SettingsError when the extension stands for no format */
export function formatOf(path: string): PictureFormat {
  const format = BY_EXTENSION[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  const known = Object.keys(BY_EXTENSION).join(', ');
  throw new SettingsError(`"${path}" does not say what to write: give it one of the extensions ${known}.`);
}

/** Writes a picture whole or not at all; the extension says in which format. @throws SettingsError */
export async function writePicture(picture: Picture, path: string, format = formatOf(path)): Promise<void> {
  writeWhole(path, await renderPicture(picture, format));
}

export async function renderPicture(picture: Picture, format: PictureFormat): Promise<string | Uint8Array> {
  switch (format) {
    case 'svg':
      return drawSvg(renderDot(picture));
    case 'png':
      return drawPng(await drawSvg(renderDot(picture, { icons: false })));
    case 'html':
      return renderHtml(await drawSvg(renderDot(picture)), picture);
    case 'dot':
      return renderDot(picture);
    case 'mermaid':
      return renderMermaid(picture);
    case 'json':
      return `${JSON.stringify(picture, null, 2)}\n`;
  }
}

let starting: Promise<import('@viz-js/viz').Viz> | undefined;

/** Graphviz, compiled to WebAssembly: it takes longer to start than to draw. */
async function drawSvg(dot: string): Promise<string> {
  starting ??= import('@viz-js/viz').then(({ instance }) => instance());
  return (await starting).renderString(dot, { format: 'svg', engine: 'dot' });
}

let converting: Promise<typeof import('svg2png-wasm')> | undefined;

async function drawPng(svg: string): Promise<Uint8Array> {
  const { resolve } = createRequire(import.meta.url);
  converting ??= import('svg2png-wasm').then(async (library) => {
    await library.initialize(await readFile(resolve('svg2png-wasm/svg2png_wasm_bg.wasm')));
    return library;
  });
  const { svg2png } = await converting;
  // A machine may have no fonts at all.
  const fonts = await Promise.all(
    ['Regular', 'Bold'].map((style) =>
      readFile(resolve(`open-sans-fonts/open-sans/${style}/OpenSans-${style}.ttf`)),
    ),
  );
  const families = 'Open Sans';
  return svg2png(svg, {
    scale: SCALE,
    backgroundColor: '#ffffff',
    fonts,
    defaultFontFamily: { sansSerifFamily: families, serifFamily: families },
  });
}
