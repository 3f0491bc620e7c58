#!/usr/bin/env node
// Committed, unlike dist: npm links commands before it builds.
import cli from '../dist/cli/main.cjs';

process.exitCode = await cli.main(process.argv.slice(2));
