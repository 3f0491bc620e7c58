import { expect, test } from 'vitest';
import { variablesIn } from '../../../plugin/io/code/environment-reads.ts';

test.each([
  ['process.env.MODEL', ['MODEL']],
  ['const m = process.env?.MODEL ?? "small"', ['MODEL']],
  ['process.env["MODEL"]; process . env . SIZE', ['MODEL', 'SIZE']],
  ['const { MODEL, SIZE: size = "1", ...rest } = process.env;', ['MODEL', 'SIZE']],
  ['if (process.env.MODEL === "x" || process.env.MODEL == "y") {}', ['MODEL']],
  ['process.env.MODEL ??= "small"', ['MODEL']],
  ['os.environ["MODEL"] + os.environ.get("SIZE", "1") + getenv(\'PLACE\')', ['MODEL', 'PLACE', 'SIZE']],
])('%s', (text, names) => {
  expect(variablesIn(text)).toEqual(names);
});

test.each([
  'process.env.MODEL = "x"',
  'process.env["MODEL"] = "x"',
  'os.environ["OMP"] = "1"',
  '// process.env.MODEL',
  ' * process.env.MODEL',
  'f() // process.env.MODEL',
  '# os.environ["MODEL"]',
  'process.env[name]',
  'process.env.OPENAI_API_KEY + process.env.HF_TOKEN',
  'process.env.NODE_ENV + process.env.HOME + process.env.NX_VERBOSE_LOGGING',
  'my.environment.MODEL',
])('of no interest: %s', (text) => {
  expect(variablesIn(text)).toEqual([]);
});
