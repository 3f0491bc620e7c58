// Writes docs/reference/config.md and docs/reference/diagnostics.md; with --check, only says whether they are as this would write them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { renderConfigReference } from './docs/config.mjs';
import { renderDiagnosticsReference } from './docs/diagnostics.mjs';

const PAGES = {
  'docs/reference/config.md': renderConfigReference,
  'docs/reference/diagnostics.md': renderDiagnosticsReference,
};
const check = process.argv.includes('--check');

for (const [page, render] of Object.entries(PAGES)) {
  const url = new URL(`../../${page}`, import.meta.url);
  const text = render();
  if (!check) writeFileSync(url, text);
  else if (!existsSync(url) || readFileSync(url, 'utf8') !== text) {
    console.error(`${page} is out of date: run "npm run docs".`);
    process.exitCode = 1;
  }
}
