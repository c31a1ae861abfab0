/** TensorFlow's own operations through the native binding. Only for use inside kernels: they are not on the tape. */
import * as tf from "@tensorflow/tfjs";

interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

interface NativeBackend {
  readonly binding: Record<string, number>;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: tf.Tensor[], numOutputs: number): tf.Tensor[];
}

/** float: a 32-bit float attribute; bool, string, int (or ints) by the value's own type. */
export type NativeAttributes = Record<string, { float: number } | boolean | string | number | number[] | { type: tf.DataType }>;

/** Executes one TensorFlow operation eagerly; `attributes` are named as in TensorFlow's op definitions. */
export function nativeOp(name: string, inputs: tf.Tensor[], attributes: NativeAttributes, numOutputs = 1): tf.Tensor[] {
  const backend = tf.backend() as unknown as NativeBackend;
  const list = Object.entries(attributes).map(([key, value]) => toOpAttribute(backend.binding, key, value));
  return backend.executeMultipleOutputs(name, list, inputs, numOutputs);
}

const TYPE_NAMES: Record<string, string> = { float32: "TF_FLOAT", int32: "TF_INT32", bool: "TF_BOOL" };

function toOpAttribute(binding: Record<string, number>, name: string, value: NativeAttributes[string]): OpAttribute {
  const make = (kind: string, v: unknown): OpAttribute => ({ name, type: binding[`TF_ATTR_${kind}`]!, value: v });
  if (typeof value === "boolean") return make("BOOL", value);
  if (typeof value === "string") return make("STRING", value);
  if (typeof value === "number" || Array.isArray(value)) return make("INT", value);
  if ("float" in value) return make("FLOAT", value.float);
  return make("TYPE", binding[TYPE_NAMES[value.type]!]);
}
