import type { ParseArgsConfig } from 'node:util';
import { MAX_WIDTH } from '../report/text-grid.ts';

/** In a terminal that is narrower, lines are broken. */
const NARROWEST = 72;

/** What a command line gave. */
export interface Arguments {
  readonly names: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly json: boolean;
  /** Folder that the command was given in. */
  readonly cwd: string;
}

/** One command of `nx-experiments`. */
export interface Command {
  readonly name: string;
  /** After the name: what it takes. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** A line for each option but `--json` and `--help`. */
  readonly help: readonly (readonly [option: string, text: string])[];
  readonly examples: readonly string[];
  /** @returns the exit code. @throws SettingsError when the command line or a config is wrong */
  run(given: Arguments, print: (text: string | Uint8Array) => void): Promise<number>;
}

/** Text of an option that is given once. */
export function textOf(value: Arguments['options'][string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Texts of an option that may be given several times, each a list with commas. */
export function listOf(value: Arguments['options'][string]): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item) => String(item).split(',')).filter((item) => item !== '');
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Columns for what is printed: those of the terminal, within reason. A file gets all of them. */
export function columnsToFill(): number {
  const { isTTY, columns } = process.stdout;
  return isTTY && columns > 0 ? Math.min(Math.max(columns, NARROWEST), MAX_WIDTH) : MAX_WIDTH;
}

/** Whether standard output is a terminal that shows colours, and nobody has asked for none (NO_COLOR). */
export function showsColour(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors();
}
