/** A TensorFlow saved model that holds one graph, in protocol buffers: as much of the format as a recorded function needs. */

/** Numbers of types and attribute kinds are TensorFlow's. */
export type AttributeValue =
  | { readonly string: string }
  | { readonly int: number | readonly number[] }
  | { readonly float: number | readonly number[] }
  | { readonly bool: boolean | readonly boolean[] }
  | { readonly type: number }
  | { readonly shape: readonly number[] }
  | { readonly tensor: { readonly dtype: number; readonly shape: readonly number[]; readonly content: Buffer } };

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** "node:0" for the first output of that node. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** Bytes of `saved_model.pb`. Field numbers are those of TensorFlow's saved_model, meta_graph, graph, node_def and attr_value.proto. */
export function savedModel(nodes: readonly GraphNode[], { tag }: { tag: string }): Buffer {
  const versions = integer(1, PRODUCER);
  const graph = Buffer.concat([...nodes.map((node) => message(1, nodeDef(node))), message(4, versions)]);
  const metaGraph = Buffer.concat([message(1, text(4, tag)), message(2, graph)]);
  return Buffer.concat([integer(1, 1), message(2, metaGraph)]);
}

const PRODUCER = 1087; // any version of TensorFlow's graphs whose operations this one still has

function nodeDef({ name, op, inputs, attributes }: GraphNode): Buffer {
  const entries = Object.entries(attributes).map(([key, value]) =>
    message(5, Buffer.concat([text(1, key), message(2, attributeValue(value))])),
  );
  return Buffer.concat([text(1, name), text(2, op), ...inputs.map((input) => text(3, input)), ...entries]);
}

function attributeValue(value: AttributeValue): Buffer {
  if ("string" in value) return text(2, value.string);
  if ("type" in value) return integer(6, value.type);
  if ("shape" in value) return message(7, shapeMessage(value.shape));
  if ("tensor" in value) return message(8, tensorMessage(value.tensor));
  if ("int" in value) return oneOrList(value.int, 3, varint, VARINT);
  if ("bool" in value) return oneOrList(value.bool, 5, (flag) => varint(flag ? 1 : 0), VARINT);
  return oneOrList(value.float, 4, float, FIXED32);
}

/** One value, or a list of them in a message of its own, where a kind has the same field number as outside. */
function oneOrList<T>(value: T | readonly T[], field: number, encode: (one: T) => Buffer, wire: number): Buffer {
  if (!Array.isArray(value)) return Buffer.concat([key(field, wire), encode(value as T)]);
  return message(1, message(field, Buffer.concat(value.map(encode))));
}

function tensorMessage({ dtype, shape, content }: { dtype: number; shape: readonly number[]; content: Buffer }): Buffer {
  return Buffer.concat([integer(1, dtype), message(2, shapeMessage(shape)), message(4, content)]);
}

function shapeMessage(shape: readonly number[]): Buffer {
  return Buffer.concat(shape.map((size) => message(2, integer(1, size))));
}

const VARINT = 0;
const LENGTH = 2;
const FIXED32 = 5;

function key(field: number, wire: number): Buffer {
  return varint(field * 8 + wire);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([key(field, VARINT), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

function message(field: number, content: Buffer): Buffer {
  return Buffer.concat([key(field, LENGTH), varint(content.length), content]);
}

/** Seven bits a byte, the lowest first; negative numbers as 64-bit two's complement. */
function varint(value: number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
