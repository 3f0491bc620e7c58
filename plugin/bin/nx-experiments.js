#!/usr/bin/env node
// Committed, unlike dist: npm links commands before it builds.
import '../dist/cli/main.js';
