/** Multilayer perceptron: flatten, then dense layers with a nonlinearity between. */
import { tf } from "../engine";
import { dense, flatten, heNormalFanIn } from "./layers";
import { checkCount, ModelBuilder, type Model } from "./model";

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
export function mlp({ inputShape, numClasses, hidden = [128], activation = "relu" }: MlpOptions): Model {
  hidden.forEach((units, i) => checkCount(`hidden[${i}]`, units));
  if (!["relu", "tanh", "softplus"].includes(activation))
    throw new Error(`activation = ${activation}: expected relu, tanh or softplus`);
  const builder = new ModelBuilder();
  const sizes = [inputShape[0] * inputShape[1] * inputShape[2], ...hidden];
  const layers = hidden.map((outputs, i) => dense(builder, `dense${i}`, { inputs: sizes[i]!, outputs, init: heNormalFanIn }));
  const head = dense(builder, "head", { inputs: sizes[hidden.length]!, outputs: numClasses });
  return builder.build(`MLP-${hidden.join("-")}`, { inputShape, numClasses }, (x, context) => {
    let h = flatten(x);
    for (const layer of layers) h = tf[activation](layer(h, context));
    return head(h, context);
  });
}
