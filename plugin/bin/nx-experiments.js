#!/usr/bin/env node
// Committed, unlike dist: npm links commands before it builds.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// Compiled code lies beside the code, and is trusted like it; where nothing can be written there is none.
module.enableCompileCache?.(fileURLToPath(new URL('../.compiled', import.meta.url)));

const { default: cli } = await import('../dist/cli/main.cjs');
process.exitCode = await cli.main(process.argv.slice(2));
