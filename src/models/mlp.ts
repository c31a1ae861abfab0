/** Multilayer perceptron: flatten, then dense layers with nonlinearities between them. */
import { checkOptions, tf } from "../engine";
import { dense, flatten, heNormalFanIn } from "./layers";
import { checkCount, checkInputShape, ModelBuilder, type Model } from "./model";

/** Options of `mlp`. */
export interface MlpOptions {
  /** height, width, channels */
  readonly inputShape: readonly [number, number, number];
  readonly numClasses: number;
  /** Units of each hidden layer; default [128]. */
  readonly hidden?: readonly number[];
  /** Default "relu"; the smooth ones suit curvature checks. */
  readonly activation?: "relu" | "tanh" | "softplus";
}

/** A multilayer perceptron. */
export function mlp(options: MlpOptions): Model {
  const activations = { values: ["relu", "tanh", "softplus"] };
  checkOptions(options, { inputShape: "array", numClasses: "number", hidden: "array", activation: activations }, "mlp");
  const { inputShape, numClasses, hidden = [128], activation = "relu" } = options;
  checkInputShape(inputShape);
  hidden.forEach((units, i) => checkCount(`hidden[${i}]`, units));
  const builder = new ModelBuilder();
  const sizes = [inputShape[0] * inputShape[1] * inputShape[2], ...hidden];
  const layers = hidden.map((outputs, i) => dense(builder, `dense${i}`, { inputs: sizes[i]!, outputs, init: heNormalFanIn }));
  const head = dense(builder, "head", { inputs: sizes[hidden.length]!, outputs: numClasses });
  return builder.build(`MLP-${hidden.join("-")}`, { inputShape, numClasses, settings: { activation } }, (x, context) => {
    let h = flatten(x);
    for (const layer of layers) h = tf[activation](layer(h, context));
    return head(h, context);
  });
}
