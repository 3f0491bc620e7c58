import { AsyncLocalStorage } from 'node:async_hooks';

const seeded = new AsyncLocalStorage<() => number>();
let users = 0;
let unseeded = Math.random;

/** Runs a function in which `Math.random` draws from this stream; the rest of the process keeps its own. */
export async function runSeeded<T>(random: () => number, run: () => Promise<T>): Promise<T> {
  if (users++ === 0) {
    unseeded = Math.random;
    Math.random = () => (seeded.getStore() ?? unseeded)();
  }
  try {
    return await seeded.run(random, run);
  } finally {
    if (--users === 0) Math.random = unseeded;
  }
}
