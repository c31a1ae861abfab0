/** Gradients in TensorFlow.js's registry, replaced in a way that can be taken back; kernels that run on every engine. */
import * as tf from "@tensorflow/tfjs";

export type GradientConfig = Omit<tf.GradConfig, "kernelName">;
type Attributes = tf.NamedAttrMap | undefined;

/** The engines a kernel is registered for. */
const ENGINES = ["tensorflow", "cpu", "wasm", "webgpu", "webgl"];

const stockGradients = new Map<string, tf.GradConfig | undefined>();

/** Replaces the gradient of a kernel; the stock one comes back with `restoreStockGradients`. */
export function putGradient(kernelName: string, gradient: GradientConfig): void {
  const present = tf.getGradient(kernelName);
  if (!stockGradients.has(kernelName)) stockGradients.set(kernelName, present);
  if (present) tf.unregisterGradient(kernelName); // Else tfjs warns on stderr in debug mode.
  tf.registerGradient({ kernelName, ...gradient });
}

/** Every gradient as TensorFlow.js ships it. */
export function restoreStockGradients(): void {
  for (const [kernelName, stock] of stockGradients) {
    if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
    if (stock) tf.registerGradient(stock);
  }
  stockGradients.clear();
}

/** What a kernel does with its inputs and attributes; plain tensor functions may be used inside. */
export type KernelBody = (inputs: tf.NamedTensorMap, attrs: Attributes) => tf.Tensor | tf.Tensor[];

/** A kernel of our own on every engine: `native` on TensorFlow, `composed` of stock functions elsewhere. */
export function defineKernel(kernelName: string, { native, composed }: { native: KernelBody; composed: KernelBody }): void {
  for (const backendName of ENGINES) {
    if (tf.getKernel(kernelName, backendName)) continue;
    const body = backendName === "tensorflow" ? native : composed;
    const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) => tf.tidy(() => body(inputs as tf.NamedTensorMap, attrs));
    tf.registerKernel({ kernelName, backendName, kernelFunc });
  }
}

/** Runs a kernel by name, on the tape. */
export function runKernel<T extends tf.Tensor | tf.Tensor[]>(
  name: string,
  inputs: tf.NamedTensorMap,
  attrs?: tf.NamedAttrMap,
): T {
  return tf.engine().runKernel(name, inputs, attrs) as T;
}

/** fn's result as a constant: no gradient flows into fn. Only where the derivative is exactly zero, or not wanted. */
export function offTape<T>(fn: () => T): T {
  const { state } = tf.engine();
  state.kernelDepth++;
  try {
    return fn();
  } finally {
    state.kernelDepth--;
  }
}

/** The same values, cut from the tape; costs no copy. */
export function detach<T extends tf.Tensor>(x: T): T {
  return offTape(() => tf.clone(x));
}
