let controller: AbortController | undefined;

/** Aborted when this process is asked to stop: Ctrl-C, a kill, or an Nx that is gone. The first reason counts. */
export function stopSignal(): AbortSignal {
  if (controller !== undefined) return controller.signal;
  controller = new AbortController();
  const stop = (code: number): void => {
    process.exitCode = code;
    controller?.abort();
    // Cleaning up takes a moment; a run that hangs in it must not outlive Ctrl-C.
    setTimeout(() => process.exit(code), 900).unref();
  };
  process.on('SIGINT', () => stop(130));
  process.on('SIGTERM', () => stop(143));
  process.on('SIGHUP', () => stop(129));
  process.on('disconnect', () => stop(1));
  return controller.signal;
}
