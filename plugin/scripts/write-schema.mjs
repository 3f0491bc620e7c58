// Writes what the package publishes beside the compiled code.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { CONFIG_SCHEMA } from '../dist/config/schema.js';

const here = (path) => new URL(`../${path}`, import.meta.url);
writeFileSync(here('dist/config.schema.json'), `${JSON.stringify(CONFIG_SCHEMA, null, 2)}\n`);
mkdirSync(here('dist/executors/run'), { recursive: true });
copyFileSync(here('executors/run/schema.json'), here('dist/executors/run/schema.json'));
