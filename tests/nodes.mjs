// The main job on every Node version that we support, each from its npm package. Run by `npm run test:nodes`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSIONS = ['20.19.0', '22', '24', '26'];
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const nx = join(ROOT, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');

const home = mkdtempSync(join(tmpdir(), 'nx-experiments-nodes-'));
let passed = 0;
let failed = 0;
try {
  for (const version of VERSIONS) {
    const folder = join(home, version);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const name = `node-${process.platform}-${process.arch}@${version}`;
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', name], {
      cwd: folder,
      stdio: 'inherit',
    });
    const bin = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin');
    const run = spawnSync(join(bin, 'node'), [nx, 'run', 'consumer:experiment', '--skip-nx-cache'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${bin}${delimiter}${process.env.PATH}`,
        NX_DAEMON: 'false',
        NX_TUI: 'false',
        NX_CACHE_DIRECTORY: join(folder, 'cache'),
        NX_WORKSPACE_DATA_DIRECTORY: join(folder, 'data'),
        NX_EXPERIMENTS_STORE: join(folder, 'store'),
      },
    });
    const exact = execFileSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' }).trim();
    const ok = run.status === 0 && run.stdout.includes('vs baseline') && !/Warning/.test(run.stderr);
    if (ok) passed++;
    else failed++;
    console.log(`${ok ? 'ok' : 'not ok'} - nx run consumer:experiment on Node ${exact}`);
    if (!ok) console.log(run.stdout, run.stderr);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
