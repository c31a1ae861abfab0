/**
 * Early-learning regularization (Liu et al. 2020): CE + λ log(1 − ⟨p, t̄⟩), where an example's target t̄ is the running average of its
 * predictions. The targets are plain state: the update takes the old ones and gives new ones; SAM's second pass leaves them alone.
 */
import { checkOptions, tf, type OptionKinds } from "../engine";
import { checkFactor, checkShare, checkTargets } from "./checks";
import { softmaxCrossEntropy } from "./crossEntropy";

/** Options of `updateElrTargets`. */
export interface ElrTargetOptions {
  /** (n) position of each row of the logits in the training set; no two are equal. */
  readonly indices: ArrayLike<number>;
  /** β in [0, 1], the old target's share. Default 0.7: the authors', for CIFAR-10. */
  readonly beta?: number;
}

/** Options of `elrLoss`. */
export interface ElrOptions {
  /** (n, numClasses) t̄ of each example, as `elrTargetsOf` gives them */
  readonly targets: tf.Tensor2D;
  /** λ. Default 3: the authors', for CIFAR-10. */
  readonly lambda?: number;
}

const elrKinds: OptionKinds<ElrOptions> = { targets: "object", lambda: "number" };

/** The authors' values for CIFAR-10. */
export const elrDefaults = { beta: 0.7, lambda: 3 } as const;

// The authors' code keeps p in these bounds, so that log(1 − ⟨p, t̄⟩) is finite; there is no gradient outside.
const CLIP = 1e-4;

/** (size, numClasses) zeros: the targets before the first update. The caller disposes of them. */
export function initialElrTargets(size: number, numClasses: number): tf.Tensor2D {
  return tf.zeros([size, numClasses]);
}

/** (n, numClasses) rows of the targets of the whole training set. */
export function elrTargetsOf(targets: tf.Tensor2D, indices: ArrayLike<number>): tf.Tensor2D {
  return tf.tidy(() => tf.gather(targets, toIndices(indices, targets)));
}

/**
 * t̄ ← βt̄ + (1 − β)p for the examples of a batch. The authors' code does it before the loss.
 * @param targets (size, numClasses); stays valid, the caller disposes of it
 * @param logits (n, numClasses); no gradient flows to them
 * @returns (size, numClasses)
 * @throws if an index has no target or comes twice, or β is outside [0, 1]
 */
export function updateElrTargets(targets: tf.Tensor2D, logits: tf.Tensor2D, options: ElrTargetOptions): tf.Tensor2D {
  checkOptions(options, { indices: "array", beta: "number" }, "updateElrTargets");
  const { indices, beta = elrDefaults.beta } = options;
  checkShare("beta", beta);
  if (indices.length !== logits.shape[0]) throw new Error(`${indices.length} indices for ${logits.shape[0]} rows of logits`);
  if (new Set(Array.from(indices)).size !== indices.length) throw new Error("indices: an example comes twice in one batch");
  return tf.tidy(() => {
    const rows = toIndices(indices, targets);
    const clipped = clippedSoftmax(logits);
    const p = tf.div(clipped, tf.sum(clipped, 1, true));
    const step = tf.mul(tf.sub(p, tf.gather(targets, rows)), 1 - beta);
    return tf.add(targets, tf.scatterND(tf.expandDims(rows, 1), step, targets.shape)) as tf.Tensor2D;
  });
}

/**
 * CE + λ log(1 − ⟨p, t̄⟩).
 * @param logits (n, numClasses)
 * @param oneHotLabels (n, numClasses), or soft ones; no gradient flows to them, nor to the targets
 * @returns (n); may be negative
 * @throws if λ is negative, or the targets have another shape than the logits
 */
export function elrLoss(logits: tf.Tensor2D, oneHotLabels: tf.Tensor2D, options: ElrOptions): tf.Tensor1D {
  checkOptions(options, elrKinds, "elrLoss");
  checkTargets("elrLoss", logits, oneHotLabels);
  return tf.tidy(() => tf.add(softmaxCrossEntropy(logits, oneHotLabels), elrRegularizer(logits, options)));
}

/**
 * λ log(1 − ⟨p, t̄⟩), to be added to any loss.
 * @param logits (n, numClasses); no gradient flows to the targets
 * @returns (n); not above 0
 * @throws if λ is negative, or the targets have another shape than the logits
 */
export function elrRegularizer(logits: tf.Tensor2D, options: ElrOptions): tf.Tensor1D {
  checkOptions(options, elrKinds, "elrRegularizer");
  const { targets, lambda = elrDefaults.lambda } = options;
  checkFactor("lambda", lambda);
  checkTargets("elrRegularizer", logits, targets);
  return tf.tidy(() => {
    const agreement = tf.sum(tf.mul(clippedSoftmax(logits), targets), 1);
    return tf.mul(tf.log(tf.sub(1, agreement)), lambda) as tf.Tensor1D;
  });
}

function clippedSoftmax(logits: tf.Tensor2D): tf.Tensor2D {
  return tf.clipByValue(tf.softmax(logits), CLIP, 1 - CLIP);
}

function toIndices(indices: ArrayLike<number>, { shape }: tf.Tensor2D): tf.Tensor1D {
  const wrong = Array.from(indices).find((index) => !(Number.isInteger(index) && index >= 0 && index < shape[0]));
  if (wrong !== undefined) throw new Error(`index ${wrong}: expected an integer from 0 to ${shape[0] - 1}`);
  return tf.tensor1d(Int32Array.from(indices), "int32");
}
