// Puts the compiled code into few files: most of what a short run takes is loading modules one by one.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, parse, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { chartsCode, WITHOUT_CANVAS } from './charts-code.mjs';

const plugin = fileURLToPath(new URL('..', import.meta.url));
const build = join(plugin, 'build');
const dist = join(plugin, 'dist');

/** What is started, or named by Nx; all else is reached from these. */
const ENTRIES = [
  'index',
  'plugin',
  'cli/main',
  'executors/run/batch',
  'executors/run/executor',
  'scale/local-job',
  ...inFolders('generators', 'generator'),
  ...inFolders('migrations', 'migration'),
];

/** What starts alone and should start soon. Modules that the same ones of these need go into one file. */
const STARTS = ['index', 'plugin', 'nx/create-nodes', 'api/run-graph', 'nx/tasks', 'report/page/page'];

/** Libraries of very many files that are loaded often, or while somebody waits. */
const VENDORED = {
  'yaml.cjs': {
    format: 'cjs',
    code: "export { Composer, isAlias, isCollection, isMap, isPair, isScalar, isSeq, Parser, visit, YAMLParseError } from 'yaml';",
  },
  'js-yaml.cjs': {
    format: 'cjs',
    code: "export { COLLECTION_STYLE, EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE } from 'js-yaml';",
  },
  'charts.js': { format: 'esm', code: await chartsCode(build), plugins: [WITHOUT_CANVAS] },
};

rmSync(dist, { recursive: true, force: true });
await bundle(
  {
    input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(build, `${entry}.js`)])),
    external: /^[^./]/,
    preserveEntrySignatures: 'allow-extension',
  },
  {
    dir: dist,
    format: 'cjs',
    exports: 'named',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunks/[name].cjs',
    codeSplitting: {
      groups: [{ name: neededBy(), debugName: 'needed by', includeDependenciesRecursively: false }],
    },
  },
);
// A worker starts fastest as one file, with nothing to resolve but what a module may ask for: the package itself, by its place.
const worker = await bundle(
  { input: join(build, 'workers/node/main.js'), external: [/^node:/, '../../index.js'] },
  { file: join(dist, 'workers/node/main.cjs'), format: 'cjs', codeSplitting: false },
);
const packages = new Set(packagesIn(worker));
for (const [file, { format, code, plugins }] of Object.entries(VENDORED)) {
  const entry = join(build, `vendored-${parse(file).name}.mjs`);
  writeFileSync(entry, code);
  const vendored = await bundle(
    { input: entry, external: /^node:/, plugins },
    { file: join(dist, 'vendor', file), format, codeSplitting: false, minify: true },
  );
  rmSync(entry);
  for (const folder of packagesIn(vendored)) packages.add(folder);
}
writeFileSync(join(dist, 'vendor/LICENSES.txt'), [...packages].sort().map(licenseOf).join('\n'));

/** For each module a name that tells which of the starts need it; none for what only commands and generators need. */
function neededBy() {
  const needs = new Map();
  for (const [i, start] of STARTS.entries()) {
    const waiting = [join(build, `${start}.js`)];
    const seen = new Set();
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      needs.set(file, (needs.get(file) ?? 0) | (1 << i));
      const code = readFileSync(file, 'utf8');
      for (const [, path] of code.matchAll(/^(?:import|export) [^;'"]*\bfrom ['"](\.[^'"]+)['"];/gm))
        waiting.push(join(dirname(file), path));
    }
  }
  return (id) => (needs.has(id) ? `part-${needs.get(id)}` : null);
}

async function bundle(input, output) {
  const bundled = await rolldown({ platform: 'node', logLevel: 'warn', ...input });
  try {
    return await bundled.write(output);
  } finally {
    await bundled.close();
  }
}

function inFolders(kind, file) {
  return readdirSync(join(build, kind), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${kind}/${name}/${file}`);
}

/** The folders of the installed packages of which something went into a bundle. */
function packagesIn({ output }) {
  return output.flatMap(({ moduleIds = [] }) =>
    moduleIds.flatMap((id) => {
      const parts = id.split(sep);
      const at = parts.lastIndexOf('node_modules');
      return at < 0 ? [] : [parts.slice(0, at + (parts[at + 1]?.startsWith('@') ? 3 : 2)).join(sep)];
    }),
  );
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n${'-'.repeat(80)}\n`;
}
