/** Cells for the runs that are on their way to a thread. */
const CELLS = 64;
/** Runs that a thread is sent at most before it takes up the first of them: no cell is in use for two. */
const MOST = CELLS / 2;
/** Cell that counts what the thread has taken up. */
const TAKEN_UP = CELLS;

/**
 * What a thread and who sends it runs share: whoever claims a run first has it. Tickets count the runs that a thread is sent, from 0.
 */
export type Claims = Int32Array;

export function createClaims(): Claims {
  return new Int32Array(new SharedArrayBuffer((CELLS + 1) * Int32Array.BYTES_PER_ELEMENT));
}

/** Nobody has the run yet. */
export function offer(claims: Claims, ticket: number): void {
  Atomics.store(claims, ticket % CELLS, 0);
}

/** Takes a run back. @returns whether it was still to be had */
export function revoke(claims: Claims, ticket: number): boolean {
  return Atomics.compareExchange(claims, ticket % CELLS, 0, 1) === 0;
}

/** The thread has come to a run. @returns whether it is still to be done */
export function takeUp(claims: Claims, ticket: number): boolean {
  const isOurs = revoke(claims, ticket);
  Atomics.add(claims, TAKEN_UP, 1);
  return isOurs;
}

/** @param sent how many runs the thread was sent. @returns whether it may be sent more ahead */
export function hasRoom(claims: Claims, sent: number): boolean {
  return sent - Atomics.load(claims, TAKEN_UP) < MOST;
}
