import { stringify } from 'yaml';
import type { ExperimentPlan } from './experiment-plan.ts';

/** Text of config.yaml. */
export function renderConfig({ name, description, example, uses, modules }: ExperimentPlan): string {
  const question = description ?? (example ? defaultQuestion(uses.length > 0) : undefined);
  const lines = [
    `name: ${scalar(name)}`,
    ...(question === undefined ? [] : [`description: ${scalar(question)}`]),
    ...(example && uses.length === 0 ? ['replicates: 10'] : []),
    'datasource:',
    ...(uses.length === 0 ? ['  numbers: draw_numbers'] : []),
    ...uses.map(
      ({ alias, producer, output }) =>
        `  ${scalar(alias)}: ${scalar(`${producer.name.value}#${output.alias}`)}`,
    ),
    'steps:',
    '  - summarize',
    ...(modules.has('outputs') || (example && uses.length === 0)
      ? [
          'outputs:',
          '  summary:',
          '    file_name: summary.json',
          `    writer: ${modules.has('outputs') ? 'dump_summary' : 'dump_json'}`,
          `    loader: ${modules.has('outputs') ? 'load_summary' : 'load_json'}`,
        ]
      : []),
    ...(example || modules.has('verifiers')
      ? [
          'treatments:',
          '  baseline: {}',
          '  scaled: { scale: 2 } # another value for a parameter of the step',
        ]
      : []),
    ...(example || modules.has('verifiers')
      ? ['hypotheses:', '  - { name: larger, metrics: size, better: higher } # a paired t test']
      : []),
    ...(modules.has('verifiers')
      ? ['  - { name: by how much, verifier: mean_difference, metrics: size } # a function of verifiers']
      : []),
    '',
  ];
  return lines.join('\n');
}

function defaultQuestion(reads: boolean): string {
  return reads ? 'What do the upstream results say?' : 'How does a treatment change the outcome?';
}

function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}
