/** Counts tensors around a call. */
import assert from "node:assert/strict";
import { tf } from "../../src/engine";

/** Fails if `fn` leaves more or fewer tensors behind than there were, or than `expected` new ones. */
export function expectNoLeak(fn: () => unknown, expected = 0): void {
  const before = tf.memory().numTensors;
  fn();
  assert.equal(tf.memory().numTensors - before, expected, "new tensors left behind");
}

/** The same for an asynchronous call. */
export async function expectNoLeakAsync(fn: () => Promise<unknown>, expected = 0): Promise<void> {
  const before = tf.memory().numTensors;
  await fn();
  assert.equal(tf.memory().numTensors - before, expected, "new tensors left behind");
}

/** Frees every tensor that a test of this suite makes, but for what is kept and for variables. */
export function tidyTests(): void {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
}
