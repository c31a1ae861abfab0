/**
 * A pure function of tensors, recorded once and replayed by TensorFlow's graph executor: no JavaScript between two operations,
 * constants folded, independent operations side by side. Results differ from the eager ones by float32's rounding.
 *
 * Recording runs the function eagerly and writes down each native operation; the list is loaded as a saved model. Whatever is
 * not an input would be frozen in the graph, so the function is recorded twice, and refused where the two differ, where it
 * draws random numbers, reads a value, or uses a tensor from outside (unless that is allowed).
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { nativeOp } from "./gradients/native";
import { Rng } from "./rng";
import { savedModel, type AttributeValue, type GraphNode } from "./savedModel";
import { tf } from "./tf";
import type { Weights } from "./weights";

/** Named tensors in named groups. */
export type TensorGroups = Readonly<Record<string, Weights>>;
/** A function from named groups of tensors to named groups of tensors. */
export type GroupFunction = (inputs: TensorGroups) => TensorGroups;

/** A recorded computation, which TensorFlow's executor replays. */
export interface Graph {
  /** The function's result; the caller owns it. Inputs must have the recorded names, shapes and types. */
  run(inputs: TensorGroups): TensorGroups;
  /** Whether `run` takes these inputs. */
  fits(inputs: TensorGroups): boolean;
  /** Frees the graphs. They cannot run afterwards. */
  dispose(): void;
}

/** Why a function cannot be replayed. */
export class NotReplayable extends Error {}

export interface RecordOptions {
  /** True: tensors from outside are used as they are, and must outlive the graph. Default false: they are refused. */
  readonly captures?: boolean;
}

/**
 * Records `fn` at these inputs. It runs twice.
 * @throws NotReplayable where the function is not one of its inputs alone, or the engine has no graphs
 */
export function recordGraph(fn: GroupFunction, inputs: TensorGroups, { captures = false }: RecordOptions = {}): Graph {
  if (tf.getBackend() !== "tensorflow") throw new NotReplayable(`the engine ${tf.getBackend()} has no graphs`);
  const [first, second] = [record(fn, inputs, captures), record(fn, inputs, captures)];
  if (!first.definition.equals(second.definition))
    throw new NotReplayable("two recordings differ: the function depends on more than its inputs");
  return new NativeGraph(load(first.definition), inputs, first);
}

/**
 * Graphs of functions, recorded at their first use. A function that cannot be replayed runs eagerly, and so do inputs of other
 * shapes than the first ones, and functions that come when the cache is full.
 */
export class GraphCache {
  constructor(private readonly options: RecordOptions = {}) {}

  private readonly entries: { readonly key: readonly unknown[]; readonly graph: Graph | undefined }[] = [];

  /**
   * `fn` of the inputs, replayed where it can be.
   * @param key everything that `fn` depends on beside its inputs, compared by identity
   */
  run<T extends TensorGroups>(key: readonly unknown[], fn: (inputs: T) => TensorGroups, inputs: T): TensorGroups {
    const entry =
      this.find(key) ?? (this.entries.length < MOST_GRAPHS ? this.add(key, fn as unknown as GroupFunction, inputs) : undefined);
    const graph = entry?.graph;
    return graph?.fits(inputs) ? graph.run(inputs) : fn(inputs);
  }

  /** How many functions are replayed. */
  get size(): number {
    return this.entries.filter(({ graph }) => graph !== undefined).length;
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { graph } of this.entries.splice(0)) graph?.dispose();
  }

  private find(key: readonly unknown[]) {
    return this.entries.find((entry) => key.every((part, i) => Object.is(part, entry.key[i])));
  }

  private add(key: readonly unknown[], fn: GroupFunction, inputs: TensorGroups) {
    const entry = { key, graph: recordedOrNot(fn, inputs, this.options) };
    this.entries.push(entry);
    return entry;
  }
}

const MOST_GRAPHS = 16; // ours: a key that never comes again would otherwise be recorded each time

function recordedOrNot(fn: GroupFunction, inputs: TensorGroups, options: RecordOptions): Graph | undefined {
  try {
    return recordGraph(fn, inputs, options);
  } catch (error) {
    if (error instanceof NotReplayable) return undefined;
    throw error;
  }
}

interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The native binding, as far as it is used here. */
interface Binding {
  readonly [constant: `TF_${string}`]: number;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], numOutputs: number): TensorMetadata[];
  createTensor(shape: number[], dtype: number, values: ArrayLike<number>): number;
  loadSavedModel(folder: string, tags: string): number;
  runSavedModel(session: number, inputs: number[], inputNames: string, outputNames: string): TensorMetadata[];
  deleteSavedModel(session: number): void;
}

interface NativeBackend {
  binding: Binding;
  readSync(dataId: object): unknown;
  read(dataId: object): Promise<unknown>;
  readonly tensorMap: { get(dataId: object): { readonly id: number } };
  getDTypeInteger(dtype: string): number;
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
}

const native = () => tf.backend() as unknown as NativeBackend;

const TAG = "serve";

function load(definition: Buffer): number {
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "sharpness-lab-graph-"));
    fs.writeFileSync(path.join(folder, "saved_model.pb"), definition);
    return native().binding.loadSavedModel(folder, TAG);
  } catch (error) {
    throw new NotReplayable(`its graph cannot be loaded: ${(error as Error).message}`);
  } finally {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Where a result comes from: an output of the graph, or an input that was passed through. */
type Source = { readonly output: string } | { readonly input: number };

interface Place {
  readonly group: string;
  readonly name: string;
}

interface NamedSource extends Place {
  readonly source: Source;
}

class NativeGraph implements Graph {
  private readonly backend = native();
  private readonly places: readonly Place[];
  private readonly signature: string;
  private readonly inputNames: string;
  private readonly fetched: readonly string[];

  constructor(
    private readonly session: number,
    inputs: TensorGroups,
    private readonly recording: Recording,
  ) {
    this.places = placesOf(inputs);
    this.signature = signatureOf(inputs);
    const captured = recording.captured.map((id) => capturedName(id));
    this.inputNames = [...this.places.map((_, i) => inputName(i)), ...captured].map((name) => `${name}:0`).join(",");
    abandoned.register(this, { session, binding: this.backend.binding }, this);
    this.fetched = [...new Set(recording.outputs.flatMap(({ source }) => ("output" in source ? [source.output] : [])))];
  }

  fits(inputs: TensorGroups): boolean {
    return tf.backend() === (this.backend as unknown) && signatureOf(inputs) === this.signature;
  }

  run(inputs: TensorGroups): TensorGroups {
    const { backend } = this;
    const tensors = this.places.map(({ group, name }) => inputs[group]![name]!);
    const ids = [...backend.getInputTensorIds(tensors), ...this.recording.captured];
    const found = backend.binding.runSavedModel(this.session, ids, this.inputNames, this.fetched.join(","));
    const byName = new Map(found.map((metadata, i) => [this.fetched[i]!, backend.createOutputTensor(metadata)]));
    const used = new Set<string>();
    const resultOf = (source: Source): tf.Tensor => {
      if ("input" in source) return tf.clone(tensors[source.input]!);
      const tensor = byName.get(source.output)!;
      return used.has(source.output) ? tf.clone(tensor) : (used.add(source.output), tensor);
    };
    const groups: Record<string, Weights> = Object.fromEntries(this.recording.groups.map((group) => [group, {}]));
    for (const { group, name, source } of this.recording.outputs) groups[group]![name] = resultOf(source);
    return groups;
  }

  dispose(): void {
    abandoned.unregister(this);
    this.backend.binding.deleteSavedModel(this.session);
  }
}

// The session of a graph whose owner was forgotten without a dispose.
const abandoned = new FinalizationRegistry<{ readonly session: number; readonly binding: Binding }>(({ session, binding }) =>
  binding.deleteSavedModel(session),
);

function placesOf(groups: TensorGroups): Place[] {
  return Object.entries(groups).flatMap(([group, tensors]) => Object.keys(tensors).map((name) => ({ group, name })));
}

function signatureOf(groups: TensorGroups): string {
  return placesOf(groups)
    .map(({ group, name }) => `${group}:${name} ${groups[group]![name]!.dtype} ${groups[group]![name]!.shape}`)
    .join("\n");
}

const inputName = (index: number) => `input${index}`;
const capturedName = (id: number) => `captured${id}`;

interface Recording {
  readonly definition: Buffer;
  /** Names of the result's groups, the empty ones too. */
  readonly groups: readonly string[];
  readonly outputs: readonly NamedSource[];
  /** Native ids of the tensors from outside. */
  readonly captured: readonly number[];
}

function record(fn: GroupFunction, inputs: TensorGroups, captures: boolean): Recording {
  const places = placesOf(inputs);
  const own = places.map(({ group, name }) => ownHandle(inputs[group]![name]!));
  const builder = new GraphBuilder(own, captures);
  const groups: Record<string, Weights> = Object.fromEntries(Object.keys(inputs).map((group) => [group, {}]));
  places.forEach(({ group, name }, i) => (groups[group]![name] = own[i]!));
  return tf.tidy(() => {
    try {
      const result = whileWatching(builder, () => fn(groups));
      const outputs = placesOf(result).map(({ group, name }) => ({
        group,
        name,
        source: builder.sourceOf(result[group]![name]!),
      }));
      const { captured } = builder;
      return {
        definition: builder.definition(),
        groups: Object.keys(result),
        outputs,
        captured,
      } as unknown as tf.TensorContainer;
    } finally {
      tf.dispose(own);
    }
  }) as unknown as Recording;
}

// Two inputs may be one tensor now (an average that starts at the weights) and two later: each has a native id of its own.
function ownHandle(tensor: tf.Tensor): tf.Tensor {
  return nativeOp("Identity", [tensor], { T: { type: tensor.dtype } })[0]!;
}

/** Runs `fn` with every native call going through the builder as well. */
function whileWatching<T>(builder: GraphBuilder, fn: () => T): T {
  const backend = native();
  const { binding, readSync, read, getInputTensorIds } = backend;
  const watchInputs = (tensors: readonly tf.Tensor[]) => {
    const ids = getInputTensorIds.call(backend, tensors);
    ids.forEach((id, i) => builder.see(id, tensors[i]!));
    return ids;
  };
  const draws = Rng.draws;
  const refuseRead = () => {
    throw new NotReplayable("it reads a tensor's values while it runs");
  };
  const watched = { binding: builder.watch(binding), getInputTensorIds: watchInputs, readSync: refuseRead, read: refuseRead };
  Object.assign(backend, watched);
  try {
    const result = fn();
    if (Rng.draws !== draws) throw new NotReplayable("it draws random numbers");
    return result;
  } finally {
    Object.assign(backend, { binding, readSync, read, getInputTensorIds });
  }
}

interface Constant {
  readonly shape: number[];
  readonly dtype: number;
  readonly content: Buffer;
}

/** Writes native operations down as a graph; a tensor's native id leads to the node that makes it. */
class GraphBuilder {
  private readonly nodes: GraphNode[] = [];
  private readonly sources = new Map<number, string>();
  private readonly types = new Map<number, number>();
  private readonly constants = new Map<number, Constant>();
  private readonly inputs: number[];
  private readonly seen = new Map<number, { readonly type: number; readonly shape: number[] }>();
  /** Native ids of tensors from outside, in the order of their first use. */
  readonly captured: number[] = [];

  constructor(
    inputs: readonly tf.Tensor[],
    private readonly captures: boolean,
  ) {
    this.inputs = inputs.map(({ dataId }) => native().tensorMap.get(dataId).id);
    inputs.forEach(({ dtype, shape }, i) => {
      this.addPlaceholder(this.inputs[i]!, inputName(i), { type: native().getDTypeInteger(dtype), shape });
    });
  }

  /** Notes the type and shape of an operation's input. */
  see(id: number, { dtype, shape }: tf.Tensor): void {
    if (this.captures && !this.seen.has(id)) this.seen.set(id, { type: native().getDTypeInteger(dtype), shape });
  }

  private addPlaceholder(id: number, name: string, { type, shape }: { type: number; shape: readonly number[] }): string {
    this.nodes.push({ name, op: "Placeholder", inputs: [], attributes: { dtype: { type }, shape: { shape } } });
    return this.addTensor(id, `${name}:0`, type);
  }

  /** The binding, with each call written down. */
  watch(binding: Binding): Binding {
    const executeOp: Binding["executeOp"] = (op, attributes, inputs, numOutputs) => {
      const outputs = binding.executeOp(op, attributes, inputs, numOutputs);
      this.addOperation(op, attributes, { inputs, outputs });
      return outputs;
    };
    const createTensor: Binding["createTensor"] = (shape, dtype, values) => {
      const id = binding.createTensor(shape, dtype, values);
      this.constants.set(id, { shape: [...shape], dtype, content: contentOf(binding, dtype, values) });
      return id;
    };
    return Object.create(binding, { executeOp: { value: executeOp }, createTensor: { value: createTensor } }) as Binding;
  }

  sourceOf({ dataId }: tf.Tensor): Source {
    const { id } = native().tensorMap.get(dataId);
    const input = this.inputs.indexOf(id);
    return input >= 0 ? { input } : { output: this.nameOf(id) };
  }

  definition(): Buffer {
    return savedModel(this.nodes, { tag: TAG });
  }

  private addOperation(
    op: string,
    attributes: readonly OpAttribute[],
    { inputs, outputs }: { inputs: readonly number[]; outputs: readonly TensorMetadata[] },
  ): void {
    const sources = inputs.map((id) => this.nameOf(id));
    const name = `node${this.nodes.length}`;
    const given = Object.fromEntries(attributes.map((attribute) => [attribute.name, attributeValueOf(attribute)]));
    // TensorFlow.js leaves the type of this operation to the eager executor, which infers it; a graph does not.
    const inferred: Record<string, AttributeValue> = op === "ExpandDims" ? { T: { type: this.types.get(inputs[0]!)! } } : {};
    this.nodes.push({ name, op, inputs: sources, attributes: { ...given, ...inferred } });
    outputs.forEach(({ id, dtype }, i) => this.addTensor(id, `${name}:${i}`, dtype));
  }

  private nameOf(id: number): string {
    const known = this.sources.get(id);
    if (known !== undefined) return known;
    const constant = this.constants.get(id);
    if (!constant) return this.capture(id);
    const name = `node${this.nodes.length}`;
    this.nodes.push({
      name,
      op: "Const",
      inputs: [],
      attributes: { dtype: { type: constant.dtype }, value: { tensor: constant } },
    });
    return this.addTensor(id, `${name}:0`, constant.dtype);
  }

  private capture(id: number): string {
    const outside = this.seen.get(id);
    if (!outside) throw new NotReplayable("it uses a tensor that is not among its inputs");
    this.captured.push(id);
    return this.addPlaceholder(id, capturedName(id), outside);
  }

  private addTensor(id: number, source: string, type: number): string {
    this.sources.set(id, source);
    this.types.set(id, type);
    return source;
  }
}

const bytesOf: Record<string, (values: ArrayLike<number>) => ArrayBufferView> = {
  TF_FLOAT: (values) => Float32Array.from(values),
  TF_INT32: (values) => Int32Array.from(values),
  TF_BOOL: (values) => Uint8Array.from(values),
};

function contentOf(binding: Binding, dtype: number, values: ArrayLike<number>): Buffer {
  const type = (["TF_FLOAT", "TF_INT32", "TF_BOOL"] as const).find((name) => binding[name] === dtype);
  if (!type) throw new NotReplayable("it makes a tensor that is neither float32, int32 nor bool");
  const { buffer, byteOffset, byteLength } = bytesOf[type]!(values);
  return Buffer.from(buffer, byteOffset, byteLength);
}

function attributeValueOf({ type, value }: OpAttribute): AttributeValue {
  const { binding } = native();
  if (type === binding.TF_ATTR_STRING) return { string: value as string };
  if (type === binding.TF_ATTR_INT) return { int: value as number | number[] };
  if (type === binding.TF_ATTR_FLOAT) return { float: value as number | number[] };
  if (type === binding.TF_ATTR_BOOL) return { bool: value as boolean | boolean[] };
  if (type === binding.TF_ATTR_TYPE) return { type: value as number };
  if (type === binding.TF_ATTR_SHAPE) return { shape: value as number[] };
  throw new NotReplayable(`it has an attribute of a kind that is not known, ${type}`);
}
