import type { ExperimentConfig } from '../../config/config.ts';
import { MODULE_KINDS } from '../../io/code/modules.ts';

interface Choice {
  readonly uses?: string | readonly string[];
  readonly modules?: string | readonly string[];
  readonly language?: 'typescript' | 'python';
}

interface Select {
  readonly type: 'select' | 'multiselect';
  readonly name: string;
  readonly message: string;
  readonly choices: readonly string[];
  readonly initial?: readonly string[];
}

/** Asks for what no flag says, where somebody can answer. */
export async function chooseInTerminal<Options extends Choice & { readonly example?: boolean }>(
  options: Options,
  experiments: readonly ExperimentConfig[],
): Promise<Choice> {
  const { uses, modules, language } = options;
  const asked =
    process.stdin.isTTY &&
    process.stdout.isTTY &&
    !process.env.CI &&
    !process.argv.includes('--no-interactive');
  if (!asked || process.argv.includes('--interactive=false')) return only({ uses, modules, language });
  const outputs = experiments.flatMap((config) =>
    config.outputs.map(({ alias }) => `${config.name.value}#${alias}`),
  );
  const answers: { uses?: string[]; modules?: string[]; language?: 'typescript' | 'python' } = {};
  if (language === undefined) {
    answers.language = await select({
      type: 'select',
      name: 'answer',
      message: 'Which language?',
      choices: ['typescript', 'python'],
    });
  }
  if (uses === undefined && outputs.length > 0) {
    answers.uses = await select({
      type: 'multiselect',
      name: 'answer',
      message: 'Use outputs from other experiments? (space selects, enter goes on)',
      choices: outputs.sort(),
    });
  }
  if (modules === undefined) {
    const initial = (options.example ?? true) ? ['steps', 'verifiers'] : ['steps'];
    answers.modules = await select({
      type: 'multiselect',
      name: 'answer',
      message: 'Which modules? (what is needed is added)',
      choices: [...MODULE_KINDS],
      initial,
    });
  }
  return only({
    uses: uses ?? answers.uses,
    modules: modules ?? answers.modules,
    language: language ?? answers.language,
  });
}

async function select<Answer>(question: Select): Promise<Answer> {
  const { default: enquirer } = await import('enquirer');
  const { answer } = await enquirer.prompt<{ answer: Answer }>(question as never);
  return answer;
}

/** Without what is undefined. */
function only(choice: { [Key in keyof Choice]: Choice[Key] | undefined }): Choice {
  return Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined));
}
