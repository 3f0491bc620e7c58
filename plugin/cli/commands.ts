import type { Command } from './command.ts';

type Described = Omit<Command, 'run'>;

const treatment = { type: 'string' } as const;
const several = { type: 'string', multiple: true } as const;

/** What is run: `choicesOf` reads them. */
const choices = { treatment: several, replicates: { type: 'string' }, seed: { type: 'string' } } as const;
const choicesHelp = [
  ['--treatment <name>', 'only this treatment beside the baseline; repeatable'],
  ['--replicates <n>', 'another number of replicates; 1 is the quick run'],
  ['--seed <n>', 'another root seed'],
] as const;

/** What each command takes, without what it does: help and completions need no more. */
export const COMMANDS = {
  run: {
    name: 'run',
    usage: '[experiment | folder]…',
    summary: 'run experiments without Nx, and what they read',
    options: {
      ...choices,
      workers: { type: 'string' },
      strategy: { type: 'string' },
      'fail-fast': { type: 'boolean' },
    },
    help: [
      ...choicesHelp,
      ['--workers <n>', 'most worker processes'],
      ['--strategy rerun', 'run everything again'],
      ['--fail-fast', 'stop at the first replicate that fails'],
    ],
    examples: ['nx-experiments run consumer --replicates 1', 'nx-experiments run ./some/folder'],
  },
  plan: {
    name: 'plan',
    usage: '[experiment]…',
    summary: 'say what a run would do and why; run nothing',
    options: choices,
    help: choicesHelp,
    examples: ['nx-experiments plan consumer', 'nx-experiments plan consumer --replicates 100'],
  },
  show: {
    name: 'show',
    usage: '<experiment>',
    summary: 'its config, conditions, parameters, upstream, last results',
    options: {},
    help: [],
    examples: ['nx-experiments show consumer'],
  },
  diff: {
    name: 'diff',
    usage: '<experiment>',
    summary: 'compare its results with earlier ones, metric by metric',
    options: {
      base: { type: 'string' },
      format: { type: 'string' },
      condition: several,
      metric: several,
      output: { type: 'string' },
      'no-run': { type: 'boolean' },
      'fail-on': { type: 'string' },
    },
    help: [
      [
        '--base <base>',
        "a git revision, a folder or a summary.json; default: where the branch left nx.json's defaultBase (main)",
      ],
      ['--format <format>', 'table, json or markdown; default: table'],
      ['--condition <name>', 'only this condition; repeatable'],
      ['--metric <name>', 'only this metric; repeatable'],
      ['--output <file>', 'write to a file; .json and .md give the format'],
      ['--no-run', 'run nothing of the base: take it from the run store, or fail'],
      ['--fail-on worse', 'exit code 1 when a metric is worse'],
    ],
    examples: [
      'nx-experiments diff consumer',
      'nx-experiments diff consumer --base HEAD~1 --format markdown',
      'nx-experiments diff consumer --base ./before/summary.json',
    ],
  },
  'diff-treatments': {
    name: 'diff-treatments',
    usage: '<a> <b> [experiment]',
    summary: 'say what differs between two conditions',
    options: {},
    help: [],
    examples: ['nx-experiments diff-treatments baseline high_lr consumer'],
  },
  graph: {
    name: 'graph',
    usage: '[experiment]…',
    summary: 'draw experiments and what they read',
    options: { treatment, format: { type: 'string' }, output: { type: 'string' } },
    help: [
      ['--treatment <name>', 'show the condition at which each experiment runs'],
      ['--format <format>', 'svg, png, html, dot, mermaid or json; default: mermaid'],
      ['--output <file>', 'write to a file; its extension gives the format'],
    ],
    examples: ['nx-experiments graph consumer --treatment high_lr --output graph.svg'],
  },
  matrix: {
    name: 'matrix',
    usage: '[experiment]…',
    summary: 'print balanced jobs for CI, level by level',
    options: {
      affected: { type: 'boolean' },
      base: { type: 'string' },
      head: { type: 'string' },
      jobs: { type: 'string' },
      levels: { type: 'string' },
      'job-cost': { type: 'string' },
      reuse: { type: 'boolean' },
      format: { type: 'string' },
    },
    help: [
      ['--affected', 'only what a change reaches, as nx affected finds it'],
      ['--base <commit>', 'since this commit; default: NX_BASE, else defaultBase of nx.json'],
      ['--head <commit>', 'up to this commit; default: NX_HEAD, else the files as they are'],
      ['--jobs <n>', 'most jobs of a level, up to 256; default: 8'],
      ['--levels <n>', 'most levels: the last one takes all that lies deeper'],
      ['--job-cost <seconds>', 'what starting a job costs: no more jobs than pay; default: 60'],
      ['--reuse', 'leave out what the run store has, for jobs that begin with the same store'],
      ['--format <format>', 'github, gitlab or json; default: github'],
    ],
    examples: ['nx-experiments matrix --affected --jobs 8', 'nx-experiments matrix consumer --format json'],
  },
  store: {
    name: 'store',
    usage: '<stats | prune | verify>',
    summary: 'sizes of the run store; shrink it; check every file of it',
    options: {},
    help: [],
    examples: ['nx-experiments store stats'],
  },
  submit: {
    name: 'submit',
    usage: '[experiment]…',
    summary: 'hand what is missing to a cluster, and return',
    options: {
      engine: { type: 'string' },
      ...choices,
      shards: { type: 'string' },
      'array-size': { type: 'string' },
      partition: { type: 'string' },
      time: { type: 'string' },
      mem: { type: 'string' },
      cpus: { type: 'string' },
      account: { type: 'string' },
      sbatch: several,
      'dry-run': { type: 'boolean' },
    },
    help: [
      ['--engine <name>', 'slurm; or local, to try a submission out on this machine'],
      ...choicesHelp,
      ['--shards <n>', 'spread each condition over at most n elements (or --array-size)'],
      ['--partition <name>', 'partition of the jobs'],
      ['--time <limit>', 'most time of an element, such as 2:00:00'],
      ['--mem <size>', 'memory of an element, such as 8G'],
      ['--cpus <n>', 'CPUs of an element, each runs a worker; default: 1'],
      ['--account <name>', 'account to charge'],
      ['--sbatch="<options>"', 'further options of sbatch, such as --gres=gpu:1; repeatable'],
      ['--dry-run', 'print the jobs; submit nothing'],
    ],
    examples: [
      'nx-experiments submit --engine slurm consumer --time 1:00:00',
      'nx-experiments submit --engine slurm consumer --dry-run',
    ],
  },
  status: {
    name: 'status',
    usage: '[submission]',
    summary: 'how far a submission is; the last one unless told',
    options: {},
    help: [],
    examples: ['nx-experiments status', 'nx-experiments status 0002'],
  },
  collect: {
    name: 'collect',
    usage: '[submission]',
    summary: 'compare what a submission came to, or say what failed',
    options: { wait: { type: 'boolean' } },
    help: [['--wait', 'until its jobs have ended']],
    examples: ['nx-experiments collect --wait'],
  },
  cancel: {
    name: 'cancel',
    usage: '[submission]',
    summary: 'end the jobs of a submission',
    options: {},
    help: [],
    examples: ['nx-experiments cancel 0002'],
  },
  completions: {
    name: 'completions',
    usage: '<bash | zsh | fish>',
    summary: 'print a script that completes commands, options and names',
    options: {},
    help: [],
    examples: ['source <(npx nx-experiments completions bash)'],
  },
} as const satisfies Readonly<Record<string, Described>>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

export function describedCommand(name: CommandName): Described {
  return COMMANDS[name];
}
