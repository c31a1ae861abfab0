/** Gradients in TensorFlow.js's registry, replaced in a way that can be taken back; kernels that run on every engine. */
import * as tf from "@tensorflow/tfjs";

export type GradientConfig = Omit<tf.GradConfig, "kernelName">;
type Attributes = tf.NamedAttrMap | undefined;

/** The engines a kernel is registered for. */
const ENGINES = ["tensorflow", "cpu", "wasm", "webgpu", "webgl"];

/** The gradients that ours replaced. */
const stockGradients = new Map<string, tf.GradConfig | undefined>();

/**
 * Replaces the gradient of a kernel; the stock one comes back with `restoreStockGradients`. A second copy of TensorFlow.js
 * that is loaded later (danfojs brings one) cannot overwrite it; `tf.unregisterGradient` first, then
 * `tf.registerGradient`, can.
 */
export function putGradient(kernelName: string, gradient: GradientConfig): void {
  if (!stockGradients.has(kernelName)) stockGradients.set(kernelName, tf.getGradient(kernelName));
  holdFast("gradRegistry", kernelName, { kernelName, ...gradient });
}

/** The gradient as TensorFlow.js ships it. */
export function stockGradient(kernelName: string): tf.GradConfig {
  return (stockGradients.has(kernelName) ? stockGradients.get(kernelName) : tf.getGradient(kernelName))!;
}

/** Replaces a wrong stock gradient by an error that names the op. */
export function refuseGradient(kernelName: string): void {
  const gradFunc = () => {
    throw new Error(`Cannot compute gradient: no gradient is known for "${kernelName}"`);
  };
  putGradient(kernelName, { gradFunc });
}

/** Every gradient as TensorFlow.js ships it. */
export function restoreStockGradients(): void {
  for (const [kernelName, stock] of stockGradients) {
    if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
    if (stock) tf.registerGradient(stock);
  }
  stockGradients.clear();
}

/** Replaces a kernel that an engine gets wrong. Like a gradient from `putGradient`, it stays. */
export function replaceKernel(config: tf.KernelConfig): void {
  holdFast("kernelRegistry", `${config.backendName}_${config.kernelName}`, config);
}

/** Wraps an engine's kernel, once only. */
export function wrapKernel(kernelName: string, backendName: string, wrap: (stock: tf.KernelFunc) => tf.KernelFunc): void {
  const stock = tf.getKernel(kernelName, backendName);
  if (!stock || wrapped.has(stock)) return;
  const config = { ...stock, kernelFunc: wrap(stock.kernelFunc) };
  wrapped.add(config);
  replaceKernel(config);
}

const wrapped = new WeakSet<object>();

type Registry = Map<string, unknown>;
const held = new WeakMap<Registry, Set<string>>();

// TensorFlow.js's registries are maps that all its copies in a process share.
function holdFast(registryName: "gradRegistry" | "kernelRegistry", key: string, value: unknown): void {
  const registry = (globalThis as unknown as { _tfGlobals: Map<string, Registry> })._tfGlobals.get(registryName)!;
  const keys = held.get(registry) ?? protect(registry);
  keys.add(key);
  Map.prototype.set.call(registry, key, value);
}

function protect(registry: Registry): Set<string> {
  const keys = new Set<string>();
  held.set(registry, keys);
  registry.set = (key, value) => (keys.has(key) ? registry : (Map.prototype.set.call(registry, key, value) as Registry));
  registry.delete = (key) => {
    keys.delete(key);
    return Map.prototype.delete.call(registry, key) as boolean;
  };
  return keys;
}

/** The computation of a kernel; plain tensor functions may be used inside. */
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

/** fn's result as a constant, so that no gradient flows into fn. Use it only if the derivative is exactly zero or not wanted. */
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
