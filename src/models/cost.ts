/** Cost of a network: the multiply-adds of one forward pass, counted while it runs. */
import { tf } from "../engine";
import type { Model } from "./model";

interface Kernel {
  readonly name: string;
  readonly inputShapes: readonly number[][];
  readonly outputShapes: readonly number[][];
}

/**
 * Multiply-adds of the convolutions and matrix products in one forward pass of one image, as the field counts cost; elementwise
 * operations are left out. The network runs once, on zeros.
 */
export async function multiplyAdds(model: Model): Promise<number> {
  const tensors: tf.Tensor[] = [];
  const zeros = (specs: Model["parameters"]) =>
    Object.fromEntries(
      specs.map(({ name, shape }) => {
        const tensor = tf.zeros([...shape]);
        tensors.push(tensor);
        return [name, tensor];
      }),
    );
  const [weights, stats] = [zeros(model.parameters), zeros(model.statistics)];
  try {
    const x = () => tf.zeros<tf.Rank.R4>([1, ...model.inputShape]);
    const { kernels } = await tf.profile(() => tf.tidy(() => void model.apply(weights, x(), { stats })));
    return kernels.reduce((sum, kernel) => sum + kernelMultiplyAdds(kernel as Kernel), 0);
  } finally {
    tf.dispose(tensors);
  }
}

function kernelMultiplyAdds({ name, inputShapes, outputShapes }: Kernel): number {
  const outputs = product(outputShapes[0]!);
  if (/^(Fused)?Conv2D$/i.test(name)) return outputs * product(inputShapes[1]!.slice(0, 3));
  if (/^(Fused)?DepthwiseConv2d/i.test(name)) return outputs * product(inputShapes[1]!.slice(0, 2));
  return /MatMul$/.test(name) ? outputs * innerSize(inputShapes[0]!, outputShapes[0]!) : 0;
}

/** k of (…, n, k) × (…, k, m), whether or not the first factor is transposed. */
function innerSize(first: readonly number[], output: readonly number[]): number {
  return product(first) / product(output.slice(0, -1));
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
