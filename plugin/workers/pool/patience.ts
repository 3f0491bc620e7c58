import type { Slot } from './slot.ts';

/** A worker beside others pays once work has waited this long for one, or when each of them has many replicates ahead. */
const PATIENCE_MS = 60;
/** While none of the others has been ready for as long: for this many times. */
const MOST_WAITS = 10;
const MANY_REPLICATES = 16;

/** Says when another worker is worth its start. If not now, then it may be in a moment. */
export class Patience {
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  /** @param retry deals work out again: for the first worker that is asked for meanwhile, patience is over */
  constructor(private readonly retry: () => void) {}

  /**
   * @param others of the same kind
   * @param ahead replicates that wait
   */
  pays(others: () => readonly Slot[], ahead: number): boolean {
    const count = others().length;
    if (count === 0 || this.isOver || ahead >= MANY_REPLICATES * count) {
      this.isOver = false;
      return true;
    }
    this.timer ??= this.wait(others, MOST_WAITS);
    return false;
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private wait(others: () => readonly Slot[], waits: number): NodeJS.Timeout {
    return setTimeout(() => {
      const longAgo = performance.now() - PATIENCE_MS + 1;
      const isReady = others().some(({ readyAt }) => readyAt <= longAgo);
      if (!isReady && waits > 1) {
        this.timer = this.wait(others, waits - 1);
        return;
      }
      this.timer = undefined;
      this.isOver = true;
      this.retry();
      this.isOver = false;
    }, PATIENCE_MS);
  }
}
