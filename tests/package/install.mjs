// The package as a stranger gets it: published to a real registry on loopback, added to fresh workspaces with several
// package managers, versions of Node and versions of Nx. Run by `npm run test:install`; all but verdaccio's own packages
// come through it from the registry that npm is configured with.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VERDACCIO = '6.3.2';
const STEP_TIMEOUT_MS = 240_000;

const NX = '24';
const CASES = [
  { name: 'npm', nx: NX, install: 'npm install --no-audit --no-fund', exec: 'npx', everything: true },
  {
    name: 'npm on the newest Node',
    nx: NX,
    install: 'npm install --no-audit --no-fund',
    exec: 'npx',
    node: '26',
  },
  { name: 'npm with Nx 23', nx: '23.3.2', install: 'npm install --no-audit --no-fund', exec: 'npx' },
  { name: 'pnpm', nx: NX, tool: 'pnpm@10', install: 'pnpm install --no-frozen-lockfile', exec: 'pnpm exec' },
  { name: 'yarn', nx: NX, tool: 'yarn@1.22.22', install: 'yarn install --non-interactive', exec: 'yarn -s' },
];

const home = mkdtempSync(join(tmpdir(), 'nx-experiments-install-'));
const upstream = npmConfig('registry') ?? 'https://registry.npmjs.org/';
const usual = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NPM_CONFIG|NX_|INIT_CWD)/i.test(name)),
);
let registry;
let passed = 0;
let failed = 0;

try {
  registry = await startRegistry();
  const named = process.argv.slice(2);
  const reached = (await fetch(`${registry.url}nx`)).ok;
  const wanted = CASES.filter(({ name }) => named.length === 0 || named.includes(name));
  if (!reached)
    console.log(`skipped - ${wanted.length} installations: the registry behind npm is not reached from here`);
  for (const testCase of reached ? wanted : []) {
    const began = Date.now();
    const problem = attempt(testCase);
    if (problem === undefined) passed++;
    else failed++;
    const seconds = Math.round((Date.now() - began) / 1000);
    console.log(`${problem === undefined ? 'ok' : 'not ok'} - ${testCase.name} (${seconds} s)`);
    if (problem !== undefined) console.log(problem);
  }
} finally {
  registry?.stop();
  rmSync(home, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Verdaccio with our tarball in it. */
async function startRegistry() {
  const folder = join(home, 'registry');
  mkdirSync(folder);
  // One of its packages asks for a tag that not every registry has.
  const manifest = { dependencies: { verdaccio: VERDACCIO }, overrides: { 'node-fetch': '2.7.0' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], { cwd: folder, stdio: 'inherit' });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const everyone = { access: '$all', publish: '$all' };
  const config = {
    storage: join(folder, 'storage'),
    uplinks: { upstream: { url: upstream, maxage: '1h', timeout: '60s' } },
    packages: { 'nx-experiments': everyone, '**': { ...everyone, proxy: 'upstream' } },
    log: { type: 'stdout', format: 'pretty', level: 'error' },
    middlewares: {},
  };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const bin = join(folder, 'node_modules/verdaccio/bin/verdaccio');
  const child = spawn(process.execPath, [bin, '--config', 'config.yaml', '--listen', `127.0.0.1:${port}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...usual, ...asNpmReaches() },
  });
  const stop = () => child.kill('SIGKILL');
  process.on('exit', stop);
  for (let tries = 0; ; tries++) {
    if ((await fetch(`${url}-/ping`).catch(() => undefined))?.ok) break;
    if (tries > 300) throw new Error('The registry did not start.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const npmrc = join(home, 'npmrc');
  writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=anyone\n`);
  execFileSync('npm', ['publish', '--ignore-scripts', '--registry', url, '--userconfig', npmrc], {
    cwd: join(ROOT, 'plugin'),
    env: usual,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return { url, npmrc, stop };
}

/** @returns what went wrong */
function attempt(testCase) {
  const folder = join(home, testCase.name.replaceAll(' ', '-'));
  const ws = join(folder, 'workspace');
  mkdirSync(join(folder, 'home'), { recursive: true });
  mkdirSync(ws);
  const path = [
    ...(testCase.node ? [nodeOf(testCase.node, folder)] : []),
    ...(testCase.tool ? [toolOf(testCase.tool, folder)] : []),
    process.env.PATH,
  ].join(delimiter);
  const env = {
    ...usual,
    PATH: path,
    HOME: join(folder, 'home'),
    npm_config_registry: registry.url,
    npm_config_userconfig: registry.npmrc,
    npm_config_cache: join(folder, 'cache'),
    npm_config_store_dir: join(folder, 'store'),
    YARN_REGISTRY: registry.url,
    YARN_CACHE_FOLDER: join(folder, 'cache'),
    NX_DAEMON: 'false',
    NX_TUI: 'false',
    NX_NO_CLOUD: 'true',
    CI: 'true',
  };
  const { exec } = testCase;
  const write = (file, text) => writeFileSync(join(ws, file), text);
  write(
    'package.json',
    JSON.stringify({ name: 'ws', version: '0.0.0', private: true, devDependencies: { nx: testCase.nx } }),
  );
  write('nx.json', JSON.stringify({ analytics: false, neverConnectToCloud: true }));
  write('.gitignore', 'node_modules\n.nx\n');
  if (testCase.name === 'pnpm') write('pnpm-workspace.yaml', 'packages: []\n');
  write(
    'esm.mjs',
    "import { ExperimentGraph } from 'nx-experiments';\nconst { consumer } = await ExperimentGraph.fromYaml('experiments/consumer').run();\nconsole.log(consumer.status, consumer.values('size').length);\n",
  );
  write(
    'cjs.cjs',
    "const { ExperimentGraph } = require('nx-experiments');\nconsole.log(ExperimentGraph.fromYaml('experiments/consumer').order.join());\n",
  );
  const git = 'git -c user.name=t -c user.email=t@example.org';
  const steps = [
    [testCase.install],
    ['git init -q -b main && git add -A && git -c user.name=t -c user.email=t@example.org commit -qm start'],
    [`${exec} nx add nx-experiments`],
    [`${exec} nx g nx-experiments:experiment producer --no-interactive`],
    [`${exec} nx g nx-experiments:experiment consumer --uses producer#summary --no-interactive`],
    [`${exec} nx run consumer:experiment`, 'vs baseline'],
    ['node esm.mjs', 'succeeded 10'],
    ['node cjs.cjs', 'producer,consumer'],
    [`${exec} nx-experiments plan`, 'Nothing to run.'],
    [
      `${exec} nx g nx-experiments:experiment snake --language python --uses producer#summary --no-interactive`,
    ],
    [`${exec} nx run snake:experiment`, 'vs baseline'],
    ...(testCase.everything
      ? [
          [`${git} add -A && ${git} commit -qm experiments`],
          [`${exec} nx g nx-experiments:treatment consumer more --set scale=3 --no-interactive`],
          [`${exec} nx affected -t experiment --base=HEAD`, 'consumer/more: 10 replicates'],
          [`${exec} nx graph --file=graph.json`],
          [`${exec} nx show project consumer`, 'experiment--more'],
          [`${exec} nx-experiments graph --output graph.svg`, 'graph.svg'],
        ]
      : []),
  ];
  const run = (command) =>
    spawnSync('bash', ['-c', command], { cwd: ws, env, encoding: 'utf8', timeout: STEP_TIMEOUT_MS });
  for (const [command, expected = ''] of steps) {
    let { status, stdout, stderr } = run(command);
    for (let tries = 0; status !== 0 && tries < 5 && publishMissing(stdout + stderr) > 0; tries++) {
      ({ status, stdout, stderr } = run(command));
    }
    if (status !== 0 || !stdout.includes(expected)) return `$ ${command}\n${stdout}\n${stderr}`;
  }
  const ignored = readFileSync(join(ws, '.gitignore'), 'utf8').includes('**/experiments/**/results/');
  if (!ignored) return 'nx add did not run init';
  if (!testCase.everything) return undefined;
  const { nodes } = JSON.parse(readFileSync(join(ws, 'graph.json'), 'utf8')).graph;
  return nodes.consumer === undefined ? 'nx graph does not show the experiment' : undefined;
}

/**
 * Yarn wants the native packages of every platform, and a registry may have those of one only: the others are published
 * empty. @returns how many
 */
function publishMissing(output) {
  const missing = new Map(
    [...output.matchAll(/Couldn't find any versions for "([^"]+)" that matches "([^"^~]+)"/g)].map((m) => [
      m[1],
      m[2],
    ]),
  );
  for (const [name, version] of missing) {
    const folder = mkdtempSync(join(home, 'empty-'));
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name, version, os: ['none'], cpu: ['none'] }),
    );
    const args = ['publish', '--ignore-scripts', '--access', 'public', '--tag', 'empty'];
    execFileSync('npm', [...args, '--registry', registry.url, '--userconfig', registry.npmrc], {
      cwd: folder,
      env: usual,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
  return missing.size;
}

function npmConfig(name) {
  const value = execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
  return value === '' || value === 'null' || value === 'undefined' ? undefined : value;
}

/** Certificates and proxies that npm is configured with, for a program that knows nothing of npm. */
function asNpmReaches() {
  const env = {
    NODE_EXTRA_CA_CERTS: npmConfig('cafile'),
    http_proxy: npmConfig('proxy'),
    https_proxy: npmConfig('https-proxy'),
  };
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

function nodeOf(version, folder) {
  const name = `node-${process.platform}-${process.arch}`;
  return join(installed(`${name}@${version}`, join(folder, 'node')), name, 'bin');
}

function toolOf(tool, folder) {
  return join(installed(tool, join(folder, 'tool')), '.bin');
}

function installed(name, folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', name], {
    cwd: folder,
    stdio: 'inherit',
  });
  return join(folder, 'node_modules');
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
