/** Checks that several losses share. */
import type { tf } from "../engine";

/**
 * @param what the loss, which opens the message
 * @throws if the logits are not (n, numClasses), or the targets have another shape: broadcast, one row would stand for all examples
 */
export function checkTargets(what: string, logits: tf.Tensor, targets: tf.Tensor): void {
  if (logits.rank !== 2) throw new Error(`${what}: logits of shape [${logits.shape}], expected (n, numClasses)`);
  if (String(targets.shape) !== String(logits.shape))
    throw new Error(
      `${what}: targets of shape [${targets.shape}], expected one row for each example as the logits, [${logits.shape}]`,
    );
}

/** @throws if the value is outside [0, 1] */
export function checkShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new Error(`${name} = ${value}: expected a number in [0, 1]`);
}

/** @throws if the value is negative or not finite */
export function checkFactor(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new Error(`${name} = ${value}: expected a finite number of at least 0`);
}
