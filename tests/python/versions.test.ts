import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Lab } from '../support/engine.ts';

const VERSIONS = ['3.9', '3.10', '3.11', '3.12', '3.13'];

/** A Python of this version: on the search path, or where pyenv has it. */
function find(version: string): string | undefined {
  const pyenv = join(homedir(), '.pyenv/versions');
  let installed: string[] = [];
  try {
    installed = readdirSync(pyenv).filter((name) => name.startsWith(`${version}.`));
  } catch {
    // There is no pyenv.
  }
  const candidates = [`python${version}`, ...installed.map((name) => join(pyenv, name, 'bin/python'))];
  return candidates.find(
    (command) =>
      spawnSync(command, ['-c', `import sys; sys.exit("%d.%d" % sys.version_info[:2] != "${version}")`], {
        stdio: 'ignore',
      }).status === 0,
  );
}

for (const version of VERSIONS) {
  const python = find(version);
  const why = python === undefined ? ' (left out: it is not installed)' : '';
  test.skipIf(python === undefined)(`Python ${version}${why}`, async () => {
    using at = new Lab({
      'lab/config.yaml': {
        datasource: { numbers: 'numbers' },
        steps: ['draw', { publish: { scale: 3 } }],
        outputs: { out: { file_name: 'out.json', writer: 'dump_json', loader: 'load_json' } },
        replicates: 20,
        treatments: { together: {} },
        execution: { python, concurrency: 4 },
      },
      'lab/datasources.py':
        'from crystallize import data_source\n@data_source\ndef numbers(ctx, length=2): return list(range(length))\n',
      'lab/steps.py': `from __future__ import annotations
import asyncio, random
from crystallize import Artifact, FrozenContext, pipeline_step
@pipeline_step()
async def draw(data, ctx: FrozenContext):
    await asyncio.sleep(0.001)
    inner = asyncio.get_running_loop().create_task(later())
    return data, {'value': random.random(), 'inner': await inner}
async def later():
    await asyncio.sleep(0.001)
    return random.random()
@pipeline_step()
def publish(data, ctx, out: Artifact, scale: int):
    print('published')
    out.write({'data': data, 'scale': scale})
`,
      'next/config.yaml': {
        datasource: { up: 'lab#out' },
        steps: ['read'],
        execution: { python },
      },
      'next/steps.py':
        "from crystallize import pipeline_step\n@pipeline_step()\ndef read(data, ctx): ctx.metrics.add('scale', data['up']['scale'])\n",
    });
    const ran = await at.run({ store: 'store', workers: 2 });
    expect(ran.outcomes.flatMap(({ failures }) => failures)).toEqual([]);
    expect(at.metric('lab/together', 'value')).toEqual(at.metric('lab/baseline', 'value'));
    expect(at.metric('lab/together', 'inner')).toEqual(at.metric('lab/baseline', 'inner'));
    // By the same formula in every version of Python.
    const code = 'import random\nfor i in range(3): random.seed((i * 31337) % 2**32); print(random.random())';
    const drawn = execFileSync(python ?? '', ['-c', code], { encoding: 'utf8' });
    expect(at.metric('lab/baseline', 'value').slice(0, 3)).toEqual(drawn.trim().split('\n').map(Number));
    expect(at.metric('next/baseline', 'scale')).toEqual(Array.from({ length: 20 }, () => 3));
    const again = await at.run({ store: 'store' });
    expect(again.events.filter(({ type }) => type === 'replicate-finished')).toEqual([]);
  });
}
