import { setFlagsFromString } from 'node:v8';

/**
 * Node 20 optimises a function once it has run this many bytes of bytecode, three times over: what a run of a second does a few hundred
 * times. Compiling that takes longer than it saves, and the other core. Later versions wait longer by themselves.
 */
const USUAL = 67_584;
const LATE = 1_000_000;

/** What runs for longer is worth optimising as usual. */
const WITHIN_MS = 3000;

const isEager =
  /^v20\./.test(process.version) && !process.execArgv.some((flag) => /interrupt.budget/.test(flag));
let running = 0;

/** Functions are optimised later while something runs, for a few seconds at most. It comes to the same, sooner. */
export async function withLateOptimization<T>(run: () => Promise<T>): Promise<T> {
  if (!isEager) return run();
  if (running++ === 0) setFlagsFromString(`--interrupt-budget=${LATE}`);
  let isLate = true;
  const end = (): void => {
    if (isLate && --running === 0) setFlagsFromString(`--interrupt-budget=${USUAL}`);
    isLate = false;
  };
  const timer = setTimeout(end, WITHIN_MS).unref();
  try {
    return await run();
  } finally {
    clearTimeout(timer);
    end();
  }
}
