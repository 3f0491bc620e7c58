// The floor of B5: steps of a fixed amount of arithmetic, one after the other. `node benchmarks/cpu.mjs <rounds of a step> <steps>`
// Without arguments it prints how many rounds take 20 ms here.
import { pathToFileURL } from 'node:url';

/** Arithmetic that no compiler can leave out. */
export function work(rounds) {
  let x = 1;
  for (let i = 0; i < rounds; i++) x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  return x;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [rounds, steps] = process.argv.slice(2).map(Number);
  if (rounds === undefined) {
    work(1e7);
    const startedAt = process.cpuUsage();
    work(1e8);
    const { user } = process.cpuUsage(startedAt);
    console.log(Math.round((1e8 * 20_000) / user));
  } else {
    let last = 0;
    for (let i = 0; i < steps; i++) last = work(rounds);
    console.log(last);
  }
}
