import { expect, test } from 'vitest';
import { Lab } from '../support/engine.ts';

/** In replicate 1, a child of the step ends in one of these ways, and the step records with which code. */
const CHILDREN = {
  returns: ['return data', 0],
  exits: ['sys.exit()', 0],
  exits_with_code: ['sys.exit(3)', 3],
  exits_with_text: ['sys.exit("over")', 1],
  raises: ['raise ValueError("in the child")', 1],
  records_text: ['ctx.metrics.add("value", "text")', 1],
} as const;

const stepOf = (child: string): string => `import os, sys
from crystallize import pipeline_step
@pipeline_step()
def forks(data, ctx):
    if ctx['replicate'] == 1:
        child = os.fork()
        if child == 0:
            ${child}
        ctx.metrics.add('code', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return data
@pipeline_step()
def record(data, ctx):
    with open(os.path.join(ctx['folder'], f"run_{ctx['replicate']}"), 'a') as file: file.write('x')
    ctx.metrics.add('value', ctx['replicate'])
    return data
`;

test.each(
  Object.entries(CHILDREN).flatMap(([name, [child, code]]) =>
    [1, 4].map((concurrency) => ({ name, child, code, concurrency })),
  ),
)(
  'a forked child that $name ends there, with concurrency $concurrency',
  async ({ child, code, concurrency }) => {
    using lab = new Lab({
      'lab/datasources.py':
        "from crystallize import data_source\n@data_source\ndef source(ctx): return ctx['replicate']\n",
      'lab/steps.py': stepOf(child),
    });
    lab.write({
      'lab/config.yaml': {
        replicates: 6,
        datasource: { data: 'source' },
        steps: ['forks', 'record'],
        params: { folder: lab.root },
        execution: { timeout: '10s', concurrency },
      },
    });
    const ran = await lab.run({ workers: 1 });
    expect(ran.failures('lab/baseline')).toEqual([]);
    expect(lab.metric('lab/baseline', 'code')).toEqual([code]);
    expect([0, 1, 2, 3, 4, 5].map((i) => lab.read(`run_${i}`))).toEqual(Array(6).fill('x'));
  },
);
