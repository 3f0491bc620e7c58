import { setMaxListeners } from 'node:events';

/** A signal takes as long to make as several fast replicates: those that follow each other within this time share one. */
const SHARED_MS = 1;

/** What stops the replicates of one worker. Each has a signal of its own, so that the listeners which its functions leave there end with it. */
export class Stopping {
  private readonly running = new Set<AbortController>();
  private newest: { readonly controller: AbortController; readonly madeAt: number } | undefined;
  private reason: Error | undefined;

  get begun(): boolean {
    return this.reason !== undefined;
  }

  begin(): void {
    this.reason ??= new Error('The run was stopped.');
    for (const controller of this.running) controller.abort(this.reason);
  }

  enter(): AbortController {
    const controller = this.unused();
    this.running.add(controller);
    if (this.reason !== undefined) controller.abort(this.reason);
    return controller;
  }

  leave(controller: AbortController): void {
    this.running.delete(controller);
  }

  private unused(): AbortController {
    const now = performance.now();
    const { newest } = this;
    if (newest !== undefined && now - newest.madeAt < SHARED_MS && !this.running.has(newest.controller))
      return newest.controller;
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    this.newest = { controller, madeAt: now };
    return controller;
  }
}
