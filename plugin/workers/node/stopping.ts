/**
 * What stops the replicates of one worker. Each has a signal of its own, so that the listeners which its functions leave
 * there end with it; it is made for those that ask, since that takes as long as a fast replicate.
 */
export class Stopping {
  private readonly running = new Set<AbortController>();
  private reason: Error | undefined;

  get begun(): boolean {
    return this.reason !== undefined;
  }

  begin(): void {
    this.reason ??= new Error('The run was stopped.');
    for (const controller of this.running) controller.abort(this.reason);
  }

  enter(): AbortController {
    const controller = new AbortController();
    this.running.add(controller);
    if (this.reason !== undefined) controller.abort(this.reason);
    return controller;
  }

  leave(controller: AbortController): void {
    this.running.delete(controller);
  }
}
