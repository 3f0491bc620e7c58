/** Looking takes at most one part of this many of the time of a run. */
const PARTS = 20;
/** Not worth a timer. */
const SOON_MS = 1;

/** When the conditions of one run may look next, together. */
export class LookingTime {
  private restUntil = 0;

  get waitMs(): number {
    return this.restUntil - performance.now();
  }

  spend<T>(look: () => T): T {
    const begun = performance.now();
    const seen = look();
    const ended = performance.now();
    this.restUntil = Math.max(this.restUntil, ended) + PARTS * (ended - begun);
    return seen;
  }
}

/**
 * Holds back what has finished until the files of its key have been looked at once more. A look costs microseconds a file,
 * so that with thousands of files what has finished waits for a common one.
 */
export class ChangeWatch {
  private waiting: (() => void)[] = [];
  private planned = false;
  private changed: readonly string[] = [];
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param look which files were written to
   * @param onChange they were: nothing is let through any more
   */
  constructor(
    private readonly look: () => readonly string[],
    private readonly time: LookingTime,
    private readonly onChange: () => void,
  ) {}

  /** Calls back after the next look, if it finds nothing changed. */
  letThrough(keep: () => void): void {
    this.waiting.push(keep);
    if (this.planned) return;
    this.planned = true;
    const { waitMs } = this.time;
    // What a worker hands over at once waits for one look.
    if (waitMs < SOON_MS) queueMicrotask(() => this.inTime());
    else this.timer = setTimeout(() => this.inTime(), waitMs);
  }

  private inTime(): void {
    if (this.planned) this.now();
  }

  /** Looks at once. @returns files that were written to, now or before */
  now(): readonly string[] {
    clearTimeout(this.timer);
    this.planned = false;
    const { waiting } = this;
    this.waiting = [];
    if (this.changed.length === 0) this.changed = this.time.spend(this.look);
    if (this.changed.length > 0) this.onChange();
    else for (const keep of waiting) keep();
    return this.changed;
  }
}
