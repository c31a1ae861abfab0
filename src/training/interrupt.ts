/** Ctrl-C and a notebook's interrupt, as an abort signal of the work that they are to stop. */

/** Ways to stop a training. */
export interface Stoppable {
  /** Stops the work after its current step. */
  readonly signal?: AbortSignal;
  /** Default true: SIGINT stops the work as the signal does. False: SIGINT is left to the caller. */
  readonly stopOnInterrupt?: boolean;
}

/**
 * Runs `work` with a signal that SIGINT aborts too. The work's own parts get `stopOnInterrupt: false`: one handler serves them all.
 * The handler is in place before anything of the work starts, and it is gone once the work has ended.
 */
export async function withInterrupt<Options extends Stoppable, Result>(
  options: Options,
  work: (options: Options) => Promise<Result>,
): Promise<Result> {
  // A cell's code up to its first pause runs in a vm that takes SIGINT's handlers off and gives them back at its end. A handler added
  // within it would then be counted, but no longer called: the next SIGINT would kill the kernel. A microtask runs after that.
  await undefined;
  if (options.stopOnInterrupt === false) return work(options);
  const { signal } = options;
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  const onInterrupt = () => stop.abort();
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  // Not once: npm passes a Ctrl-C on that the terminal has sent already.
  process.on("SIGINT", onInterrupt);
  try {
    return await work({ ...options, signal: stop.signal, stopOnInterrupt: false });
  } finally {
    process.removeListener("SIGINT", onInterrupt);
    signal?.removeEventListener("abort", onAbort);
  }
}
