import { setTimeout as sleep } from 'node:timers/promises';

/** Another run may be putting the same results in place: there are none for a moment. */
const WAITS_MS = [1, 4, 16, 64];

/** Asks until there is an answer, for a tenth of a second at most. */
export async function soon<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  let answer = await ask();
  for (let i = 0; answer === undefined && i < WAITS_MS.length; i++) {
    await sleep(WAITS_MS[i]);
    answer = await ask();
  }
  return answer;
}
