/**
 * A turn of the event loop between two pieces of long synchronous work: signals, timers, messages and a notebook's interrupt get in.
 * A resolved promise would not let them in.
 * @throws the signal's reason, if it was aborted
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
