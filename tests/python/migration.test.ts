import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workspace } from '../support/workspace.ts';

/** A project as Crystallize's own documentation lays one out; nothing in it knows of Nx. */
const PROJECT = {
  'experiments/producer/config.yaml': `
name: producer
replicates: 4
cli: { group: Demo, priority: 1, icon: "🧪", color: "#85C1E9", hidden: false }
datasource:
  numbers: numbers
steps:
  - add_noise
  - publish:
      out: summary
outputs:
  summary: { file_name: summary.json, writer: dump_json, loader: load_json }
treatments:
  baseline: { delta: 0.0 }
  high: { delta: 5.0 }
`,
  'experiments/producer/datasources.py': `from crystallize import data_source, FrozenContext

@data_source
def numbers(ctx: FrozenContext):
    return [1.0, 2.0, 3.0]
`,
  'experiments/producer/steps.py': `import random
from crystallize import Artifact, FrozenContext, pipeline_step

@pipeline_step(cacheable=True)
def add_noise(data, ctx: FrozenContext, delta: float = 0.0):
    return [x + delta + random.random() for x in data]

@pipeline_step()
def publish(data, ctx: FrozenContext, out: Artifact):
    out.write({"mean": sum(data) / len(data)})
    return data
`,
  'experiments/producer/outputs.py': `import json
from pathlib import Path

def dump_json(data) -> bytes:
    return json.dumps(data).encode()

def load_json(path: Path):
    return json.loads(path.read_text())
`,
  'experiments/consumer/config.yaml': `
name: consumer
datasource:
  producer_summary: producer#summary
steps:
  - inspect_summary
hypotheses:
  - { name: larger, verifier: welch, metrics: mean }
`,
  'experiments/consumer/steps.py': `from crystallize import pipeline_step

@pipeline_step()
def inspect_summary(data, ctx):
    ctx.metrics.add("mean", data["producer_summary"]["mean"])
    return data
`,
  'experiments/consumer/verifiers.py': `from crystallize import verifier

@verifier
def welch(baseline_samples, treatment_samples, *, alpha: float = 0.05):
    difference = sum(treatment_samples["mean"]) / 4 - sum(baseline_samples["mean"]) / 4
    return {"p_value": 0.01 if difference > 1 else 0.5, "significant": difference > 1, "difference": difference}
`,
};

test('a Crystallize project becomes an Nx workspace in three commands', async () => {
  await using ws = await workspace(PROJECT);
  // What the first command, an installation, leaves: packages, and a package.json.
  for (const path of ['nx.json', '.gitignore']) await rm(join(ws.root, path));
  const init = await ws.nx('g nx-experiments:init');
  expect({ code: init.code, output: init.output }).toEqual({
    code: 0,
    output: expect.stringContaining('CREATE nx.json'),
  });
  expect(await ws.read('.gitignore')).toBe(
    '# Nx\nnode_modules/\n.nx/\n\n# Results of experiments\n**/experiments/**/results/\n',
  );
  const run = await ws.nx('run-many -t experiment --output-style=static');
  expect({ code: run.code, output: run.output }).toEqual({
    code: 0,
    output: expect.stringMatching(/larger \(welch, .*\n.*\n.*\n +high +mean +0\.01000 +true +5\.000/),
  });
  for (const [path, text] of Object.entries(PROJECT)) expect(await ws.read(path)).toBe(text);
  expect((await ws.nx('run-many -t experiment')).ran).toEqual([]);
});
