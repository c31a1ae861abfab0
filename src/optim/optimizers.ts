/** Base optimizers as pure functions: `init` makes the slots, `update` returns new weights and new slots. */
import { checkOptions, mapWeights, tf, zerosLikeWeights, type Weights } from "../engine";

/** Learning rate and step of one update. */
export interface UpdateOptions {
  readonly learningRate: number;
  /** Updates made before this one; Adam's bias correction needs it. */
  readonly step: number;
}

/** The factors of one update, which change from step to step: numbers, or scalar tensors of them in a recorded step. */
export type UpdateFactors = Readonly<Record<string, number | tf.Scalar>>;

/** Result of an update: new weights and new slots, such as momentum. The caller owns them. */
export type WeightsAndSlots = { readonly weights: Weights; readonly slots: Weights };

/** An optimizer as pure functions of weights, slots and a gradient; it holds no tensors. */
export interface BaseOptimizer {
  readonly name: string;
  /** Slots, named `<slot>/<weight>`. */
  init(weights: Weights): Weights;
  /** One update; the same as `apply` with its `factors`. */
  update(gradient: Weights, slots: Weights, weights: Weights, options: UpdateOptions): WeightsAndSlots;
  /** The numbers of an update that change from step to step. */
  factors(options: UpdateOptions): Readonly<Record<string, number>>;
  /** One update with given factors; the caller owns the results. */
  apply(gradient: Weights, slots: Weights, weights: Weights, factors: UpdateFactors): WeightsAndSlots;
}

/** Options of `sgd`. */
export interface SgdOptions {
  /** Default 0.9: official code. */
  readonly momentum?: number;
  /** Default true: official code. */
  readonly nesterov?: boolean;
  /** Decoupled decay: w ← w − η·decay·w, outside the loss; default 0, the paper's decay is inside. */
  readonly decoupledWeightDecay?: number;
}

/** SGD with momentum: v ← μv + g, w ← w − ηv, or w − η(g + μv) with Nesterov's look-ahead (as in Flax and PyTorch). */
export function sgd(options: SgdOptions = {}): BaseOptimizer {
  checkOptions(options, { momentum: "number", nesterov: "boolean", decoupledWeightDecay: "number" }, "sgd");
  const { momentum = 0.9, nesterov = true, decoupledWeightDecay = 0 } = options;
  return optimizer({
    name: "sgd",
    init: (weights) => (momentum === 0 ? {} : prefix("velocity", zerosLikeWeights(weights))),
    factors: ({ learningRate }) => descentFactors(learningRate, decoupledWeightDecay),
    apply: (gradient, slots, weights, factors) => {
      const newSlots: Weights = {};
      const moved = mapWeights(weights, (w, name) => {
        const g = gradient[name]!;
        if (momentum === 0) return descend(w, g, factors);
        const velocity = tf.add(tf.mul(slots[`velocity/${name}`]!, momentum), g);
        newSlots[`velocity/${name}`] = velocity;
        return descend(w, nesterov ? tf.add(g, tf.mul(velocity, momentum)) : velocity, factors);
      });
      return { weights: moved, slots: newSlots };
    },
  });
}

/** Options of `adamW`. */
export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Default 0.01 (Loshchilov and Hutter 2019, PyTorch's default). */
  readonly decoupledWeightDecay?: number;
}

/** AdamW (Loshchilov and Hutter 2019); with `decoupledWeightDecay: 0` it is Adam. */
export function adamW(options: AdamWOptions = {}): BaseOptimizer {
  const known = { beta1: "number", beta2: "number", epsilon: "number", decoupledWeightDecay: "number" } as const;
  checkOptions(options, known, "adamW");
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decoupledWeightDecay = 0.01 } = options;
  return optimizer({
    name: "adamW",
    init: (weights) => ({ ...prefix("mean", zerosLikeWeights(weights)), ...prefix("square", zerosLikeWeights(weights)) }),
    factors: ({ learningRate, step }) => ({
      ...descentFactors(learningRate, decoupledWeightDecay),
      meanCorrection: 1 - beta1 ** (step + 1),
      squareCorrection: 1 - beta2 ** (step + 1),
    }),
    apply: (gradient, slots, weights, factors) => {
      const newSlots: Weights = {};
      const moved = mapWeights(weights, (w, name) => {
        const g = gradient[name]!;
        const mean = tf.add(tf.mul(slots[`mean/${name}`]!, beta1), tf.mul(g, 1 - beta1));
        const square = tf.add(tf.mul(slots[`square/${name}`]!, beta2), tf.mul(tf.square(g), 1 - beta2));
        newSlots[`mean/${name}`] = mean;
        newSlots[`square/${name}`] = square;
        const denominator = tf.add(tf.sqrt(tf.div(square, factors.squareCorrection!)), epsilon);
        return descend(w, tf.div(tf.div(mean, factors.meanCorrection!), denominator), factors);
      });
      return { weights: moved, slots: newSlots };
    },
  });
}

function optimizer(parts: Omit<BaseOptimizer, "update">): BaseOptimizer {
  return {
    ...parts,
    update: (gradient, slots, weights, options) => parts.apply(gradient, slots, weights, parts.factors(options)),
  };
}

/** η, and the share of w that decoupled decay leaves, if there is any. */
function descentFactors(learningRate: number, decay: number): Record<string, number> {
  return { learningRate, ...(decay === 0 ? {} : { kept: 1 - learningRate * decay }) };
}

function descend(w: tf.Tensor, direction: tf.Tensor, { learningRate, kept }: UpdateFactors): tf.Tensor {
  return tf.sub(kept === undefined ? w : tf.mul(w, kept), tf.mul(direction, learningRate!));
}

function prefix(slot: string, weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`${slot}/${name}`, tensor]));
}
