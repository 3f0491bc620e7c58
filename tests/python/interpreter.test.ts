import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environmentCommand, Interpreters } from '../../plugin/build/io/python/interpreter.js';
import type { ReplicateError } from '../../plugin/build/runtime/failures.js';
import { Lab } from '../support/engine.ts';

/** A script that answers as a Python of this version would. */
function pretender(lab: Lab, path: string, version: readonly number[]): string {
  const executable = join(lab.root, path);
  const answer = { executable, version, path: [], name: 'cpython', standard: [] };
  lab.write({ [path]: `#!/bin/sh\necho '${JSON.stringify(answer)}'\n` });
  chmodSync(executable, 0o755);
  return executable;
}

async function failure(lab: Lab, configured?: string, option?: string): Promise<string> {
  const found = await new Interpreters(lab.root, option).of('lab', configured).catch((error) => error);
  return (found as ReplicateError).message.replaceAll(lab.root, '<root>');
}

const REMEDY =
  'Install Python 3.9 or newer, or name one by execution.python in config.yaml or by the option "python" of the plugin in nx.json.';

describe('the interpreter', () => {
  test('is that of the config, else of the plugin, else of a .venv, else python3', async () => {
    using lab = new Lab({ 'lab/config.yaml': {} });
    const chosen = async (configured?: string, option?: string): Promise<string> =>
      (await new Interpreters(lab.root, option).of('lab', configured)).executable;
    const system = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
    expect(await chosen()).toBe(system.trim());
    const root = pretender(lab, '.venv/bin/python', [3, 12, 0]);
    expect(await chosen()).toBe(root);
    const own = pretender(lab, 'lab/.venv/bin/python', [3, 13, 0]);
    expect(await chosen()).toBe(own);
    const option = pretender(lab, 'tools/python', [3, 11, 0]);
    expect(await chosen(undefined, 'tools/python')).toBe(option);
    const configured = pretender(lab, 'lab/my/python', [3, 10, 0]);
    expect(await chosen('my/python', 'tools/python')).toBe(configured);
    expect(await chosen('{workspaceRoot}/tools/python')).toBe(option);
    expect(environmentCommand(lab.root, 'lab', undefined, undefined)).toMatch(
      /^"\.\/lab\/\.venv\/bin\/python" -c "/,
    );
    expect(environmentCommand(lab.root, 'lab', 'python3.12', undefined)).toMatch(
      /^"python3\.12" -c "[^"$%`!\n]+"$/,
    );
  });

  test('that is not there, too old, or none at all, is named with what to do', async () => {
    using lab = new Lab({ 'lab/config.yaml': {} });
    expect(await failure(lab, 'python9')).toBe(
      `no usable Python: python9 (by execution.python of lab/config.yaml) was not found. ${REMEDY}`,
    );
    pretender(lab, 'old', [3, 8, 18]);
    expect(await failure(lab, undefined, './old')).toBe(
      `no usable Python: <root>/old (by the option "python" of the plugin in nx.json) is Python 3.8.18, which is too old. ${REMEDY}`,
    );
    lab.write({ '.venv/bin/python': '#!/bin/sh\necho broken >&2\nexit 1\n' });
    chmodSync(join(lab.root, '.venv/bin/python'), 0o755);
    expect(await failure(lab)).toBe(
      `no usable Python: <root>/.venv/bin/python (by the .venv of the workspace) does not start: broken. ${REMEDY}`,
    );
    lab.write({
      '.venv/bin/python':
        '#!/bin/sh\nprintf "pyenv: not found\\n\\nNote: see\\n  the manual.\\n" >&2\nexit 1\n',
    });
    expect(await failure(lab)).toContain('does not start: pyenv: not found. Install');
    lab.write({
      '.venv/bin/python': '#!/bin/sh\nprintf "Traceback:\\n  line 1\\nKeyError: 1\\n" >&2\nexit 1\n',
    });
    expect(await failure(lab)).toContain('does not start: KeyError: 1. Install');
    expect(await failure(lab, 'echo')).toMatch(
      /^no usable Python: echo .* is no Python: it answered "-c import json, sys/,
    );
  });
});

test('an experiment runs in the .venv of the workspace, and a package that it lacks is named', async () => {
  using lab = new Lab({
    'lab/config.yaml': { datasource: { one: 'one' }, steps: ['where'] },
    'lab/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
    'lab/steps.py': `import sys
from pathlib import Path
from crystallize import pipeline_step
@pipeline_step()
def where(data, ctx): Path('../where').write_text(sys.prefix)
`,
  });
  mkdirSync(lab.root, { recursive: true });
  execFileSync('python3', ['-m', 'venv', '--without-pip', join(lab.root, '.venv')]);
  expect((await lab.run()).failures('lab/baseline')).toEqual([]);
  expect(realpathSync(lab.read('where'))).toBe(join(lab.root, '.venv'));
  lab.write({ 'lab/steps.py': 'import surely_not_there.inside\n' });
  const [message] = (await lab.run()).failures('lab/baseline');
  expect(message?.replaceAll(lab.root, '<root>')).toMatch(
    /^\*: lab\/steps\.py could not be loaded: surely_not_there is not installed for <root>\/\.venv\/bin\/python \(Python 3\.\d+\.\d+\)\. Install it with "<root>\/\.venv\/bin\/python -m pip install surely_not_there", or choose another interpreter with execution\.python\.$/,
  );
});

test('a package that is missed only when a step runs is named too, and one that lacks a module is not', async () => {
  using lab = new Lab({
    'lab/config.yaml': { datasource: { one: 'one' }, steps: ['late'] },
    'lab/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
    'lab/steps.py':
      'from crystallize import pipeline_step\n@pipeline_step()\ndef late(data, ctx): import surely_not_there\n',
  });
  expect((await lab.run()).failures('lab/baseline')[0]).toMatch(
    /^0: step late threw ModuleNotFoundError: No module named 'surely_not_there'\. surely_not_there is not installed for \S+ \(Python 3\.\d+\.\d+\)\. Install it with "\S+ -m pip install surely_not_there"$/,
  );
  lab.write({ 'lab/steps.py': 'import json.nothing\n' });
  expect((await lab.run()).failures('lab/baseline')[0]).toBe(
    "*: lab/steps.py could not be loaded: ModuleNotFoundError: No module named 'json.nothing'",
  );
});

test('a module of the workspace that is mistyped is not taken for a package', async () => {
  using lab = new Lab({
    'lab/config.yaml': { datasource: { one: 'one' }, steps: ['s'] },
    'lab/helper.py': '',
    'shared/gain.py': '',
    'lab/datasources.py': '',
    'lab/steps.py': 'import helpr\n',
  });
  const ran = await lab.run({ store: 'store' });
  expect(ran.failures('lab/baseline')).toEqual([
    '*: lab/steps.py could not be loaded: ModuleNotFoundError: No module named \'helpr\'. Did you mean "helper"?',
  ]);
  // The folders that were searched for "helper" are nothing that the experiment reads.
  expect(ran.events.filter(({ type }) => type === 'warning')).toEqual([]);
  lab.write({ 'lab/steps.py': 'from shared.gian import GAIN\n' });
  expect((await lab.run()).failures('lab/baseline')).toEqual([
    "*: lab/steps.py could not be loaded: ModuleNotFoundError: No module named 'shared.gian'",
  ]);
});

test('an interpreter that is missing fails its conditions, and skips those behind them', async () => {
  using lab = new Lab({
    'up/config.yaml': {
      datasource: { one: 'one' },
      steps: ['publish'],
      outputs: { out: { writer: 'dump_json' } },
      execution: { python: 'python9' },
    },
    'up/datasources.py': '',
    'up/steps.py': '',
    'down/config.yaml': { datasource: { up: 'up#out' }, steps: ['read'] },
    'down/steps.py': '',
  });
  for (const store of [undefined, 'store']) {
    const ran = await lab.run(store === undefined ? {} : { store });
    expect(ran.failures('up/baseline')[0]).toMatch(/^\*: no usable Python: python9 /);
    expect(ran.outcome('down/baseline').status).toBe('skipped');
  }
});

test('where Crystallize is installed, it is used', async () => {
  using lab = new Lab({
    'lab/config.yaml': {
      datasource: { one: 'one' },
      steps: ['step'],
      execution: { python: '.venv/bin/python' },
    },
    'lab/datasources.py': 'from crystallize import data_source\n@data_source\ndef one(ctx): return 1\n',
    'lab/steps.py':
      'from crystallize import pipeline_step\n@pipeline_step()\ndef step(data, ctx): return data\n',
  });
  execFileSync('python3', ['-m', 'venv', '--without-pip', join(lab.root, 'lab/.venv')]);
  const [site = ''] = execFileSync(
    join(lab.root, 'lab/.venv/bin/python'),
    ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'],
    { encoding: 'utf8' },
  ).split('\n');
  mkdirSync(join(site, 'crystallize'), { recursive: true });
  const installed = join(site, 'crystallize/__init__.py').slice(lab.root.length + 1);
  // A stand-in with the interface of Crystallize 0.27 that the worker relies on: it cannot be installed here.
  lab.write({
    [installed]: `
class FrozenContext:
    def __init__(self, initial, logger=None):
        self._data, self.metrics, self.artifacts, self.logger = dict(initial), None, None, logger
    def __getitem__(self, key): return self._data[key]
    def as_dict(self): return dict(self._data)
class Artifact:
    def __init__(self, name, loader=None, writer=None): self.name = name
class Step:
    def __init__(self, fn): self.fn = fn
    def __call__(self, data, ctx):
        ctx.metrics.add('installed', isinstance(ctx, FrozenContext))
        return self.fn(data, ctx)
class Source:
    def __init__(self, fn): self.fn = fn
    def fetch(self, ctx): return self.fn(ctx)
def pipeline_step(cacheable=False): return lambda fn: lambda **given: Step(fn)
def data_source(fn): return lambda **given: Source(fn)
`,
  });
  expect((await lab.run()).failures('lab/baseline')).toEqual([]);
  expect(lab.metric('lab/baseline', 'installed')).toEqual([1]);
});
