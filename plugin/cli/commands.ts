import type { Command } from './command.ts';

type Described = Omit<Command, 'run'>;

const treatment = { type: 'string' } as const;
const several = { type: 'string', multiple: true } as const;

/** What each command takes, without what it does: help and completions need no more. */
export const COMMANDS = {
  run: {
    name: 'run',
    usage: '[experiment | folder]…',
    summary: 'run experiments without Nx, and what they read',
    options: {
      treatment: several,
      replicates: { type: 'string' },
      seed: { type: 'string' },
      workers: { type: 'string' },
      strategy: { type: 'string' },
      'fail-fast': { type: 'boolean' },
    },
    help: [
      ['--treatment <name>', 'only this treatment beside the baseline; repeatable'],
      ['--replicates <n>', 'another number of replicates; 1 is the quick run'],
      ['--seed <n>', 'another root seed'],
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
    options: {},
    help: [],
    examples: ['nx-experiments plan consumer'],
  },
  show: {
    name: 'show',
    usage: '<experiment>',
    summary: 'its config, conditions, parameters, upstream, last results',
    options: {},
    help: [],
    examples: ['nx-experiments show consumer'],
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
