import type { ExperimentPlan } from './experiment-plan.ts';

/** The modules of an experiment in Python, as Crystallize has them. */
export function renderPython(plan: ExperimentPlan): Map<string, string> {
  const files = new Map<string, string>();
  if (plan.modules.has('datasources')) files.set('datasources.py', DATASOURCES);
  files.set('steps.py', renderSteps(plan));
  if (plan.modules.has('outputs')) files.set('outputs.py', OUTPUTS);
  if (plan.modules.has('verifiers')) files.set('verifiers.py', VERIFIERS);
  return files;
}

const DATASOURCES = `import random

from crystallize import data_source


@data_source
def draw_numbers(ctx):
    """Where the data comes from. \`random\` is seeded: the same numbers in every condition."""
    return [random.random() for _ in range(100)]
`;

const OUTPUTS = `import json


def dump_summary(summary):
    """Turns a value into the text of the file."""
    return json.dumps(summary, indent=2) + "\\n"


def load_summary(path):
    """Reads the file back, in the experiments that use it."""
    return json.loads(path.read_text())
`;

const VERIFIERS = `from statistics import fmean

from crystallize import verifier


@verifier
def mean_difference(baseline, treatment):
    """How much larger a metric is under the treatment, on average over the replicates."""
    metric = next(iter(baseline))
    return {"difference": fmean(treatment[metric]) - fmean(baseline[metric])}
`;

/** Whatever it is that upstream has written: what a treatment changes there is seen here. */
const TOTAL = `
def total(value):
    """All numbers in a value added up; text and bytes count with their length."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return sum(total(part) for part in value)
    if isinstance(value, (str, bytes)):
        return len(value)
    return value if isinstance(value, (int, float)) else 0
`;

function renderSteps({ modules, example, uses }: ExperimentPlan): string {
  const reads = uses.length > 0;
  const writes = modules.has('outputs') || (example && !reads);
  const doc = reads
    ? 'Gets what the datasources of config.yaml read, by alias. Replace the size by what you want to know.'
    : 'Parameters come from the arguments in config.yaml, else from the treatment, else from these defaults.';
  return [
    `from crystallize import ${writes ? 'Artifact, ' : ''}pipeline_step`,
    '',
    '',
    '@pipeline_step()',
    `def summarize(data, ctx${writes ? ', summary: Artifact' : ''}, scale=1):`,
    `    """${doc}"""`,
    `    size = ${reads ? 'scale * total(data)' : 'sum(scale * x for x in data) / len(data)'}`,
    ...(writes ? ['    summary.write({"size": size})'] : []),
    '    return data, {"size": size}',
    '',
    ...(reads ? [TOTAL] : []),
  ].join('\n');
}
