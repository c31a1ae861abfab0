/** Reads NumPy's .npy files that hold numbers, or one pickled object of plain values. */
import { numpyArray, readPickle, NumpyArray, type PickleValue } from "./pickle";
import { hex } from "./files";

/**
 * The array of a .npy file.
 * @throws if magic, version, header or length are wrong
 */
export function parseNpy(bytes: Uint8Array, { name }: { name: string }): NumpyArray {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < 10 || buffer.toString("latin1", 0, 6) !== "\x93NUMPY")
    throw new Error(`${name}: starts with ${hex(buffer, 6)}, expected 93 4e 55 4d 50 59 (.npy)`);
  const wide = buffer[6]! >= 2;
  const start = wide ? 12 : 10;
  const length = buffer.length < start ? Infinity : wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8);
  if (start + length > buffer.length) throw new Error(`${name}: cut short within the header`);
  const { descr, fortranOrder, shape } = parseHeader(buffer.toString("latin1", start, start + length), name);
  const data = buffer.subarray(start + length);
  if (descr === "|O") return objectArray(shape, data, start + length, { buffer, name });
  try {
    return numpyArray(descr, shape, fortranOrder, data);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

// { 'descr': '<i8', 'fortran_order': False, 'shape': (3,), }
function parseHeader(header: string, name: string): { descr: string; fortranOrder: boolean; shape: number[] } {
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || shape === undefined)
    throw new Error(`${name}: header ${JSON.stringify(header.slice(0, 100))}, expected descr, fortran_order and shape`);
  const dims = shape
    .split(",")
    .map((dim) => dim.trim())
    .filter((dim) => dim !== "");
  return { descr, fortranOrder: order === "True", shape: dims.map(Number) };
}

function objectArray(
  shape: number[],
  data: Buffer,
  start: number,
  { buffer, name }: { buffer: Buffer; name: string },
): NumpyArray {
  const { value, end } = readPickle(buffer, { name, start });
  if (end - start !== data.length)
    throw new Error(`${name}: ${data.length - (end - start)} bytes follow the pickle, expected none`);
  const values: readonly PickleValue[] =
    value instanceof NumpyArray ? Array.from(value.values as readonly PickleValue[]) : [value];
  return new NumpyArray(shape, "|O", false, values);
}
