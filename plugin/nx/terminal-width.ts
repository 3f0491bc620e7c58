import { openSync } from 'node:fs';
import { isatty, WriteStream } from 'node:tty';
import { MAX_WIDTH } from '../report/text-grid.ts';

/** Nx keeps what a task printed, and shows it again in other terminals: in those that are narrower, lines break. */
const NARROWEST = 80;

/** Columns for the table of a comparison: those of the terminal, within reason; all of them where there is none. */
export function columnsToFill(): number {
  const columns = process.stdout.isTTY ? process.stdout.columns : columnsBehindPipe();
  return columns > 0 ? Math.min(Math.max(columns, NARROWEST), MAX_WIDTH) : MAX_WIDTH;
}

/** Nx reads what tasks print through pipes, and leaves them the terminal as standard input. Zero without one. */
function columnsBehindPipe(): number {
  if (!isatty(0)) return 0;
  try {
    const terminal = new WriteStream(openSync('/dev/tty', 'w'));
    const { columns } = terminal;
    terminal.destroy();
    return columns;
  } catch {
    // No /dev/tty, or not ours: Windows, a process that has left its terminal.
    return 0;
  }
}
