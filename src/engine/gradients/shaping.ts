/** Gradients of splitting, gathering and products where stock TensorFlow.js is wrong, or fails without saying why. */
import * as tf from "@tensorflow/tfjs";
import { sumToShape } from "./reductions";
import { offTape, putGradient, runKernel, stockGradient } from "./registry";
import { correctCustomGradient, replaceCustomGradient, rewriteKernel, type Rewrite } from "./tape";

export function installShapingGradients(): void {
  // One part only: stock takes the single gradient for a list.
  putGradient("SplitV", { gradFunc: (dy, _saved, attrs) => ({ x: () => tf.concat([dy].flat(), attrs.axis as number) }) });
  putGradient("Unpack", { gradFunc: (dy, _saved, attrs) => ({ value: () => tf.stack([dy].flat(), attrs.axis as number) }) });
  putGradient("BatchMatMul", {
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b], attrs) => matMulGradients(dy as tf.Tensor, a!, b!, attrs as unknown as Transposed),
  });
  for (const kernelName of ["Cumsum", "Cumprod", "GatherV2"]) rewriteKernel(kernelName, countAxisFromStart(kernelName));
  rewriteKernel("BatchMatMul", rewriteMatMul);
  rewriteKernel("_FusedMatMul", replaceFusedGradient);
  installProduct();
  installGather();
  correctCustomGradient("softmaxCrossEntropy", softmaxCrossEntropyGradients);
}

interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

// Sums over stacks that were broadcast, which stock forgets.
function matMulGradients(dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor, { transposeA, transposeB }: Transposed) {
  const ofA = () => (transposeA ? tf.matMul(b, dy, transposeB, true) : tf.matMul(dy, b, false, !transposeB));
  const ofB = () => (transposeB ? tf.matMul(dy, a, true, transposeA) : tf.matMul(a, dy, !transposeA, false));
  return { a: () => sumToShape(ofA(), a.shape), b: () => sumToShape(ofB(), b.shape) };
}

// An axis of −1 makes WASM write past its arrays, and other engines fail.
function countAxisFromStart(kernelName: string): Rewrite {
  return (inputs, attrs) => {
    const axis = attrs.axis as number;
    if (!(axis < 0)) return undefined;
    return runKernel<tf.Tensor>(kernelName, inputs, { ...attrs, axis: inputs.x!.rank + axis });
  };
}

// tf.fused.matMul, which dense layers call.
function replaceFusedGradient({ a, b }: tf.NamedTensorMap, attrs: tf.NamedAttrMap): undefined {
  if (tf.engine().state.gradientDepth === 0 || a!.shape[0] === b!.shape[0]) return undefined;
  replaceCustomGradient((dy, [left, right, y, bias]) => {
    const along = tf.reshape(dy, y!.shape);
    const parts = matMulGradients(along, left!, right!, attrs as unknown as Transposed);
    return [parts.a(), parts.b(), ...(bias ? [sumToShape(along, bias.shape)] : [])];
  });
  return undefined;
}

// WASM and JavaScript count through the stacks of both operands, which is right only if one holds a single matrix or both are alike.
function rewriteMatMul({ a, b }: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor | undefined {
  const [ofA, ofB] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
  const single = (stack: number[]) => stack.every((side) => side === 1);
  if (tf.getBackend() === "tensorflow" || String(ofA) === String(ofB) || single(ofA) || single(ofB)) return undefined;
  const stack = tf.backend_util.assertAndGetBroadcastShape(ofA, ofB);
  const whole = (x: tf.Tensor) => tf.broadcastTo(x, [...stack, ...x.shape.slice(-2)]);
  return runKernel<tf.Tensor>("BatchMatMul", { a: whole(a!), b: whole(b!) }, attrs);
}

// ∂(x₁ ⋯ xₙ)/∂xᵢ is the product without xᵢ: as a product itself it can be differentiated again, and zeros are no trouble.
function installProduct(): void {
  putGradient("Prod", {
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(attrs.axis as number[], x!.shape);
        const others = x!.shape.map((_, i) => i).filter((i) => !axes.includes(i));
        const order = [...others, ...axes];
        const turned = tf.transpose(x!, order);
        const n = axes.reduce((count, axis) => count * x!.shape[axis]!, 1);
        const without = productsWithoutOne(tf.reshape(turned, [-1, n]));
        const turnedBack = tf.backend_util.getUndoAxesPermutation(order);
        return tf.transpose(tf.reshape(tf.mul(without, tf.reshape(dy as tf.Tensor, [-1, 1])), turned.shape), turnedBack);
      },
    }),
  });
}

/** (rows, n) the product of each row without each of its entries. */
function productsWithoutOne(x: tf.Tensor2D): tf.Tensor2D {
  const n = x.shape[1];
  const diagonal = offTape(() => tf.cast(tf.eye(n), "bool"));
  return tf.prod(tf.where(tf.expandDims(diagonal, 0), tf.scalar(1), tf.expandDims(x, 1)), 2);
}

// Stock mixes up the examples of more than one batch axis.
function installGather(): void {
  const stock = stockGradient("GatherV2");
  putGradient("GatherV2", {
    ...stock,
    gradFunc: (dy, saved, attrs) => {
      if ((attrs.batchDims as number) > 1)
        throw new Error(
          `Cannot compute gradient: no gradient is known for "GatherV2" with batchDims = ${attrs.batchDims as number}`,
        );
      return stock.gradFunc(dy, saved, attrs);
    },
  });
}

// L = −Σ t log p: stock gives the labels the logits' gradient with its sign turned, and takes Σ t for 1.
function softmaxCrossEntropyGradients(dy: tf.Tensor, [labels, logP]: tf.Tensor[]): tf.Tensor[] {
  const along = tf.expandDims(dy, -1);
  const total = tf.sum(labels!, -1, true);
  return [tf.neg(tf.mul(along, logP!)), tf.mul(along, tf.sub(tf.mul(tf.exp(logP!), total), labels!))];
}
