/**
 * TensorFlow.js's tape, repaired for nested gradients. Stock, three things go wrong, the first two silently:
 *
 * - A gradient that saves the op's *output* saves it before the op itself is on the tape, so that the outer tape never
 *   connects it with the input, and its term is dropped (exp, tanh, sigmoid, softmax …).
 * - `customGrad` keeps what happens inside off the tape, also for tensors that it saves (softmaxCrossEntropy).
 * - A comparison inside a gradient is recorded, has no gradient, and throws, although its derivative is zero.
 *
 * All TensorFlow.js functions go through methods of one engine object. Repairing those repairs stock functions, the layers API and
 * user code alike.
 */
import * as tf from "@tensorflow/tfjs";

interface TapeNode {
  readonly kernelName: string;
  readonly inputs: tf.NamedTensorMap;
  readonly outputs: tf.Tensor[];
  saved: tf.Tensor[];
  gradient?: (dys: tf.Tensor[]) => Record<string, () => tf.Tensor>;
}
type Save = (tensors: tf.Tensor[]) => void;
type CustomGradient = (dy: tf.Tensor, saved: tf.Tensor[]) => unknown;
type CustomFunction = (...args: unknown[]) => { value: tf.Tensor; gradFunc: CustomGradient };
type AddTapeNode = (
  name: string,
  inputs: tf.NamedTensorMap,
  outputs: tf.Tensor[],
  gradient: unknown,
  saved: tf.Tensor[],
  attrs: unknown,
) => void;
type Gradients = (
  f: () => tf.Tensor,
  xs: tf.Tensor[],
  dy?: tf.Tensor,
  allowNoGradients?: boolean,
) => { value: tf.Tensor; grads: (tf.Tensor | undefined)[] };

/** The engine's methods that are replaced; TypeScript calls some of them private. */
interface Tape {
  readonly state: {
    gradientDepth: number;
    kernelDepth: number;
    activeTape: TapeNode[] | null;
    activeScope?: { readonly name: string };
  };
  addTapeNode: AddTapeNode;
  customGrad: (f: CustomFunction) => (...inputs: tf.Tensor[]) => tf.Tensor;
  gradients: Gradients;
  runKernel: (name: string, inputs: tf.NamedTensorMap, attrs?: tf.NamedAttrMap) => tf.Tensor | tf.Tensor[];
}

const METHODS = ["addTapeNode", "customGrad", "gradients", "runKernel"] as const;

/** Kernels with a boolean result, which never passes a gradient on. */
const BOOLEAN = ["Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "LogicalNot"];
/** Derivative zero almost everywhere: zeros at first order, nothing inside a gradient. */
const PIECEWISE_CONSTANT = [
  "Step",
  "Sign",
  "Floor",
  "FloorDiv",
  "Ceil",
  "Round",
  "ArgMax",
  "ArgMin",
  "OneHot",
  "ZerosLike",
  "OnesLike",
  "IsNan",
];
const booleans = new Set([...BOOLEAN, "Any", "All", "IsFinite", "IsInf"]);
const constants = new Set([...booleans, ...PIECEWISE_CONSTANT]);

/** The op whose gradient is being computed; undefined outside of gradients. */
let differentiating: string | undefined;
/** How many backward passes have ended since the program started. */
let passes = 0;

/** Repairs the tape; does nothing if it is repaired already. */
export function repairTape(): void {
  const engine = tf.engine() as unknown as Tape;
  if (Object.hasOwn(engine, "addTapeNode")) return;
  const stock = Object.fromEntries(METHODS.map((name) => [name, engine[name].bind(engine)])) as unknown as Tape;
  engine.addTapeNode = addTapeNode(engine, stock.addTapeNode);
  engine.customGrad = customGrad(engine, stock.customGrad);
  engine.gradients = gradients(engine, stock.gradients);
  engine.runKernel = runKernel(stock.runKernel);
}

/** The tape as TensorFlow.js ships it. */
export function restoreStockTape(): void {
  const engine = tf.engine() as unknown as Partial<Tape>;
  for (const name of METHODS) delete engine[name]; // The stock methods are on the prototype.
}

function addTapeNode(engine: Tape, stock: AddTapeNode): AddTapeNode {
  return (name, inputs, outputs, gradient, saved, attrs) => {
    const held = takeHeldInputs();
    const constant = isConstant(name, outputs);
    if (booleans.has(name) || (constant && differentiating !== undefined)) return tf.dispose([...saved, ...held]);
    stock(name, inputs, [...outputs], gradient, saved, attrs); // a copy: callers may reverse the list that they get
    const tape = engine.state.activeTape!;
    const node = tape.pop()!;
    if (held.length > 0) node.saved = [...node.saved, ...held]; // disposed with the others
    if (constant) node.gradient = () => zeroGradients(inputs);
    else nameInErrors(node);
    let place = tape.length;
    while (place > 0 && isCloneOf(tape[place - 1]!, outputs)) place--;
    tape.splice(place, 0, node); // Before the clones of its outputs: the tape is read in order.
  };
}

// Integers and booleans are piecewise constant. Stock TensorFlow.js lets gradients pass through a cast to int32.
function isConstant(name: string, outputs: readonly tf.Tensor[]): boolean {
  return constants.has(name) || outputs.every(({ dtype }) => dtype === "int32" || dtype === "bool");
}

function zeroGradients(inputs: tf.NamedTensorMap): Record<string, () => tf.Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, () => zeros(input)]));
}

function isCloneOf(node: TapeNode, outputs: tf.Tensor[]): boolean {
  const source = node.inputs.x;
  return source !== undefined && outputs.some((output) => output.id === source.id);
}

// Wraps a node's gradient so that we know which op is being differentiated.
function nameInErrors(node: TapeNode): void {
  const { gradient, kernelName } = node;
  const origin = differentiating;
  if (!gradient) {
    node.gradient = () => {
      const of = origin === undefined ? `"${kernelName}"` : `"${origin}" at second order (its gradient uses "${kernelName}")`;
      throw new Error(`Cannot compute gradient: no gradient is known for ${of}`);
    };
    return;
  }
  node.gradient = (dys) => {
    const parts = within(kernelName, () => gradient(dys));
    for (const key of Object.keys(parts)) {
      const part = parts[key]!;
      parts[key] = () => within(kernelName, part);
    }
    return parts;
  };
}

function within<T>(name: string, fn: () => T): T {
  const before = differentiating;
  differentiating = name;
  try {
    return fn();
  } catch (error) {
    throw isDisposedTensor(error) ? new Error(NOT_SAVED(name), { cause: error }) : error;
  } finally {
    differentiating = before;
  }
}

// Engines fail with this message when the data of a tensor are gone.
function isDisposedTensor(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("reading 'backend'");
}

const NOT_SAVED = (name: string) =>
  `The gradient of "${name}" uses a tensor that is disposed: a custom gradient must save the tensors that it made, with save([...])`;

// Under two tapes, the inside of a custom gradient goes on the tape too, for the tensors that it saves; its result is cut
// off and comes from the custom node alone.
function customGrad(engine: Tape, stock: Tape["customGrad"]): Tape["customGrad"] {
  return (f) => {
    const correction = corrections.get(engine.state.activeScope?.name.replace(/__op$/, "") ?? "");
    return stock((...args) => {
      replacement = undefined;
      const { gradientDepth, kernelDepth } = engine.state;
      if (gradientDepth === 0 || kernelDepth > 1) return f(...args); // no tape
      const nested = gradientDepth >= 2;
      const inputs = copies(engine, args, nested);
      const result = disposingOf(inputs, () => (nested ? onTape(engine, f, inputs) : f(...inputs)));
      heldInputs = inputs.filter((input): input is tf.Tensor => input instanceof tf.Tensor);
      return { ...result, gradFunc: replacement ?? correction ?? result.gradFunc };
    });
  };
}

function disposingOf<T>(kept: unknown[], fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    tf.dispose(kept as tf.TensorContainer);
    throw error;
  }
}

/** Inputs of the custom function that ran just now; its node, the next one on the tape, keeps them until the gradient is done. */
let heldInputs: tf.Tensor[] = [];

function takeHeldInputs(): tf.Tensor[] {
  const held = heldInputs;
  heldInputs = [];
  return held;
}

// A gradient may use the function's own inputs without having saved them (logSigmoid does): they would be disposed by then.
function copies(engine: Tape, args: unknown[], onTape: boolean): unknown[] {
  const copy = (arg: unknown) => (arg instanceof tf.Tensor ? tf.keep(tf.clone(arg)) : arg);
  return atDepth(engine, onTape ? 0 : 1, () => args.map(copy));
}

/** Right gradients for stock functions whose own is wrong, by the name of the function that calls `customGrad`. */
const corrections = new Map<string, CustomGradient>();

/** Replaces the gradient of a stock function that is written with `customGrad`, once and for all. */
export function correctCustomGradient(functionName: string, gradient: CustomGradient): void {
  corrections.set(functionName, gradient);
}

function onTape(engine: Tape, f: CustomFunction, args: unknown[]): ReturnType<CustomFunction> {
  const save = args[args.length - 1] as Save;
  const saveOffTape: Save = (tensors) => atDepth(engine, 1, () => save(tensors));
  const result = atDepth(engine, 0, () => f(...args.slice(0, -1), saveOffTape));
  return { ...result, value: tf.clone(result.value) };
}

/** Gradient for the custom function whose forward pass is running. */
let replacement: CustomGradient | undefined;

/** Replaces the gradient of the custom function that is running. For a kernel's rewrite to call. */
export function replaceCustomGradient(gradient: CustomGradient): void {
  replacement = gradient;
}

function atDepth<T>(engine: Tape, depth: number, fn: () => T): T {
  const before = engine.state.kernelDepth;
  engine.state.kernelDepth = depth;
  try {
    return fn();
  } finally {
    engine.state.kernelDepth = before;
  }
}

// The gradient of a function that takes gradients itself may be identically zero (ReLU, linear): zeros, not an exception.
function gradients(engine: Tape, stock: Gradients): Gradients {
  return (f, xs, dy, allowNoGradients = false) => {
    let nested = false;
    const observed = () => {
      const before = passes;
      const y = f();
      nested = passes !== before;
      return y;
    };
    const result = disposingOnError(engine, () => stock(observed, xs, dy, true));
    passes++;
    const none = result.grads.every((grad) => grad == null);
    if (nested && (none || !allowNoGradients)) return { ...result, grads: result.grads.map((grad, i) => grad ?? zeros(xs[i]!)) };
    if (none && !allowNoGradients) throw new Error("Cannot compute gradient of y=f(x) with respect to x. " + CONNECT);
    return result;
  };
}

// After an exception, stock TensorFlow.js keeps what the tape has saved in memory for ever.
function disposingOnError<T>({ state }: Tape, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (state.gradientDepth === 0 && state.activeTape) {
      for (const node of state.activeTape) tf.dispose(node.saved);
      state.activeTape = null;
    }
    throw error;
  }
}

const CONNECT = "Make sure that the f you passed encloses all operations that lead from x to y.";

function zeros(x: tf.Tensor): tf.Tensor {
  return tf.zeros(x.shape, "float32");
}

/** Replaces a kernel call by plain functions on the tape; returns undefined if the stock kernel will do. */
export type Rewrite = (inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap) => tf.Tensor | undefined;
const rewrites = new Map<string, Rewrite>();

/** Replaces all calls of a kernel. */
export function rewriteKernel(kernelName: string, rewrite: Rewrite): void {
  rewrites.set(kernelName, rewrite);
}

function runKernel(stock: Tape["runKernel"]): Tape["runKernel"] {
  return (name, inputs, attrs = {}) => {
    refuseRounding(attrs);
    return rewrites.get(name)?.(inputs, attrs) ?? stock(name, inputs, attrs);
  };
}

// The last window then reaches beyond the image, where the engines read other data or fail.
function refuseRounding({ dimRoundingMode: mode }: tf.NamedAttrMap): void {
  if (mode === "round" || mode === "ceil")
    throw new Error(`dimRoundingMode = "${mode}" is computed wrongly by TensorFlow.js: pad the image and leave the option out`);
}
