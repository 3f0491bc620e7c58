// Writes what the package publishes beside the compiled code.
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CONFIG_SCHEMA } from '../build/config/schema.js';
import { SUMMARY_SCHEMA } from '../build/report/summary-schema.js';

const here = (path) => new URL(`../${path}`, import.meta.url);
writeFileSync(here('dist/config.schema.json'), `${JSON.stringify(CONFIG_SCHEMA, null, 2)}\n`);
writeFileSync(here('dist/summary.schema.json'), `${JSON.stringify(SUMMARY_SCHEMA, null, 2)}\n`);
for (const kind of ['executors', 'generators']) {
  for (const path of readdirSync(here(kind), { recursive: true }).filter((name) =>
    name.endsWith('schema.json'),
  )) {
    mkdirSync(here(`dist/${kind}/${dirname(path)}`), { recursive: true });
    copyFileSync(here(`${kind}/${path}`), here(`dist/${kind}/${path}`));
  }
}
