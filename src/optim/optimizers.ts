/** Base optimizers as pure pairs: `init` makes the slots, `update` returns new weights and new slots. */
import { checkOptions, mapWeights, tf, zerosLikeWeights, type Weights } from "../engine";

export interface UpdateOptions {
  readonly learningRate: number;
  /** Updates made before this one; Adam's bias correction needs it. */
  readonly step: number;
}

export interface BaseOptimizer {
  readonly name: string;
  /** Slots, named `<slot>/<weight>`. */
  init(weights: Weights): Weights;
  update(gradient: Weights, slots: Weights, weights: Weights, options: UpdateOptions): { weights: Weights; slots: Weights };
}

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
  return {
    name: "sgd",
    init: (weights) => (momentum === 0 ? {} : prefix("velocity", zerosLikeWeights(weights))),
    update: (gradient, slots, weights, { learningRate }) => {
      const newSlots: Weights = {};
      const moved = mapWeights(weights, (w, name) => {
        const g = gradient[name]!;
        if (momentum === 0) return descend(w, g, learningRate, decoupledWeightDecay);
        const velocity = tf.add(tf.mul(slots[`velocity/${name}`]!, momentum), g);
        newSlots[`velocity/${name}`] = velocity;
        return descend(w, nesterov ? tf.add(g, tf.mul(velocity, momentum)) : velocity, learningRate, decoupledWeightDecay);
      });
      return { weights: moved, slots: newSlots };
    },
  };
}

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
  return {
    name: "adamW",
    init: (weights) => ({ ...prefix("mean", zerosLikeWeights(weights)), ...prefix("square", zerosLikeWeights(weights)) }),
    update: (gradient, slots, weights, { learningRate, step }) => {
      const newSlots: Weights = {};
      const moved = mapWeights(weights, (w, name) => {
        const g = gradient[name]!;
        const mean = tf.add(tf.mul(slots[`mean/${name}`]!, beta1), tf.mul(g, 1 - beta1));
        const square = tf.add(tf.mul(slots[`square/${name}`]!, beta2), tf.mul(tf.square(g), 1 - beta2));
        newSlots[`mean/${name}`] = mean;
        newSlots[`square/${name}`] = square;
        const denominator = tf.add(tf.sqrt(tf.div(square, 1 - beta2 ** (step + 1))), epsilon);
        const direction = tf.div(tf.div(mean, 1 - beta1 ** (step + 1)), denominator);
        return descend(w, direction, learningRate, decoupledWeightDecay);
      });
      return { weights: moved, slots: newSlots };
    },
  };
}

function descend(w: tf.Tensor, direction: tf.Tensor, learningRate: number, decay: number): tf.Tensor {
  const kept = decay === 0 ? w : tf.mul(w, 1 - learningRate * decay);
  return tf.sub(kept, tf.mul(direction, learningRate));
}

function prefix(slot: string, weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`${slot}/${name}`, tensor]));
}
