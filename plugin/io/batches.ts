/** So many begin together. */
const SIZE = 8;

/** One that has waited for so long begins with whatever else waits. */
const PATIENCE_MS = 100;

/**
 * Lets asynchronous work that nobody waits for begin a few at a time, once all that is more urgent has been handled. A batch goes
 * through its stages side by side: each stage of one after the other takes a tenth longer in all.
 */
export class Batches {
  private waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private hurried = false;

  /** First come, first served. */
  async take(): Promise<void> {
    if (this.hurried) return;
    const turn = new Promise<void>((begin) => this.waiting.push(begin));
    if (this.waiting.length % SIZE === 0) setImmediate(() => this.begin(SIZE));
    this.timer ??= setTimeout(() => this.begin(this.waiting.length), PATIENCE_MS);
    return turn;
  }

  /** Nothing more urgent will come. */
  hurry(): void {
    this.hurried = true;
    this.begin(this.waiting.length);
  }

  private begin(count: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const begin of this.waiting.splice(0, count)) begin();
    if (this.waiting.length > 0) this.timer = setTimeout(() => this.begin(this.waiting.length), PATIENCE_MS);
  }
}
