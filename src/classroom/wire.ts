/**
 * Lines of JSON between the examiner, which is trusted, and the student's process, which is not. Calls are synchronous on both sides, as
 * tests and solutions are. Values are data: numbers, text, lists and plain objects; only the examiner may pass functions.
 */
import fs from "node:fs";

/** JSON with a mark on everything that JSON would change. */
export type Encoded = null | boolean | number | string | { readonly t: string; readonly v?: unknown };

/** Numbers the functions that the other side may call back. */
export type KeepFunction = (f: (...args: unknown[]) => unknown) => number;

const typedArrays = { Float32Array, Float64Array, Int32Array, Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array };

/** @throws where a value is nested deeper than 50 levels, as one that contains itself is */
export function encode(value: unknown, keep?: KeepFunction, depth = 0): Encoded {
  if (depth > 50) throw new Error("a value is nested too deeply, or contains itself");
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { t: "number", v: Object.is(value, -0) ? "-0" : String(value) };
  if (value === undefined) return { t: "undefined" };
  if (typeof value === "function")
    return keep ? { t: "function", v: keep(value as (...args: unknown[]) => unknown) } : { t: "opaque" };
  if (typeof value !== "object") return { t: "opaque" };
  const kind = typedArrayName(value);
  if (kind) return { t: kind, v: Array.from(value as ArrayLike<number>, (each) => encode(each)) };
  if (Array.isArray(value)) return { t: "list", v: Array.from(value, (each) => encode(each, keep, depth + 1)) };
  return { t: "object", v: Object.entries(value).map(([key, each]) => [key, encode(each, keep, depth + 1)]) };
}

function typedArrayName(value: object): string | undefined {
  return Object.entries(typedArrays).find(([, type]) => value instanceof type)?.[0];
}

/** The value behind untrusted JSON; nothing in it is code. @throws where it is no encoded value */
export function decode(encoded: unknown, call?: (id: number, args: unknown[]) => unknown): unknown {
  if (encoded === null || ["boolean", "number", "string"].includes(typeof encoded)) return encoded;
  const { t, v } = encoded as { t: string; v?: unknown };
  if (t === "undefined" || t === "opaque") return undefined;
  if (t === "number") return Number(v);
  if (t === "function" && call && typeof v === "number") return (...args: unknown[]) => call(v, args);
  if (!Array.isArray(v)) throw new Error("a message is not in the agreed form");
  if (t === "list") return v.map((each) => decode(each, call));
  if (t === "object") return Object.fromEntries(v.map(([key, each]: [string, unknown]) => [String(key), decode(each, call)]));
  if (Object.hasOwn(typedArrays, t))
    return typedArrays[t as keyof typeof typedArrays].from(v.map((each) => Number(decode(each))));
  throw new Error("a message is not in the agreed form");
}

const largestLine = 32 * 2 ** 20;

/** One end of the connection: blocking pipes, so that a call waits for its answer. */
export class Wire {
  private pending = Buffer.alloc(0);

  constructor(private readonly fds: { readonly read: number; readonly write: number }) {}

  send(message: object): void {
    const bytes = Buffer.from(JSON.stringify(message) + "\n");
    for (let sent = 0; sent < bytes.length; ) sent += fs.writeSync(this.fds.write, bytes, sent);
  }

  /** The next message; undefined where the other side is gone or does not keep to lines of JSON. */
  receive(): Record<string, unknown> | undefined {
    const pieces = [this.pending];
    let size = this.pending.length;
    let end = this.pending.indexOf(10);
    const chunk = Buffer.alloc(65536);
    while (end < 0) {
      const count = this.read(chunk);
      if (count === 0 || size > largestLine) return undefined;
      const piece = Buffer.from(chunk.subarray(0, count));
      if (piece.includes(10)) end = size + piece.indexOf(10);
      pieces.push(piece);
      size += count;
    }
    const all = Buffer.concat(pieces);
    this.pending = all.subarray(end + 1);
    return parsed(all.subarray(0, end).toString());
  }

  private read(chunk: Buffer): number {
    try {
      return fs.readSync(this.fds.read, chunk);
    } catch {
      return 0;
    }
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === "object" && message !== null ? (message as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
