/** More than the runs that are on their way to a thread at once. */
const TICKETS = 64;

/** One cell for each run that was sent to a thread: whoever claims it first has it, the thread or who sent it. */
export type Claims = Int32Array;

export function createClaims(): Claims {
  return new Int32Array(new SharedArrayBuffer(TICKETS * Int32Array.BYTES_PER_ELEMENT));
}

/** Nobody has the run yet. */
export function offer(claims: Claims, ticket: number): void {
  Atomics.store(claims, ticket % TICKETS, 0);
}

/** @returns whether it was still to be had */
export function claim(claims: Claims, ticket: number): boolean {
  return Atomics.compareExchange(claims, ticket % TICKETS, 0, 1) === 0;
}
