/** Checks of a public function's options: unknown names and wrong types are refused in the caller's words. */
import { distance } from "fastest-levenshtein";

type TypeName = "number" | "boolean" | "string" | "function" | "object" | "array";

/** A type, several of them, or the list of the values allowed; "any" leaves the check to the function itself. */
export type OptionKind = "any" | TypeName | { readonly types: readonly TypeName[] } | { readonly values: readonly unknown[] };

/** One kind for each option of `T`: the compiler refuses a list that lacks one. */
export type OptionKinds<T> = { readonly [Name in keyof Required<T>]: OptionKind };

const ARTICLES: Record<TypeName, string> = {
  number: "a number",
  boolean: "true or false",
  string: "a string",
  function: "a function",
  object: "an object",
  array: "an array",
};

/**
 * Refuses whatever is not an options object, options that nobody knows, and values of the wrong type. Undefined counts as absent.
 *
 *     checkOptions(options, { rho: "number", adaptive: { values: [false, "weights", "all"] } }, "epsilonHat");
 *
 * @param what the function whose options they are; it opens the message
 * @throws e.g. `epsilonHat: unknown option "roh", did you mean "rho"?` or `epsilonHat: rho = "0.1": expected a number`
 */
export function checkOptions<T extends object>(options: T, known: OptionKinds<T>, what: string): void {
  const names = Object.keys(known);
  if (typeNameOf(options) !== "object")
    throw new Error(`${what}: the options are ${showValue(options)}, expected an object with any of ${names.join(", ")}`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) throw new Error(`${what}: unknown option "${name}"${suggestName(name, names)}`);
    const kind = known[name as keyof T];
    if (value !== undefined && !fits(value, kind))
      throw new Error(`${what}: ${name} = ${showValue(value)}: expected ${expectation(kind)}`);
  }
}

function fits(value: unknown, kind: OptionKind): boolean {
  if (kind === "any") return true;
  if (typeof kind === "string") return typeNameOf(value) === kind;
  return "types" in kind ? kind.types.some((type) => typeNameOf(value) === type) : kind.values.includes(value);
}

// Typed arrays count as arrays.
function typeNameOf(value: unknown): string {
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return "array";
  return value === null ? "null" : typeof value;
}

function expectation(kind: OptionKind): string {
  if (typeof kind === "string") return ARTICLES[kind as TypeName];
  const choices = "types" in kind ? kind.types.map((type) => ARTICLES[type]) : kind.values.map(showValue);
  return choices.length < 2 ? choices.join() : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}

/** A value as an error message shows it: strings in quotes, long values cut. */
export function showValue(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" && typeof value !== "string") return String(value);
  const text = asJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "a circular object"; // a tensor or a model, for one
  }
}

/** `, did you mean "rho"?` where a known name is near, else the list of them. */
export function suggestName(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  if (near !== undefined) return `, did you mean "${near}"?`;
  return known.length === 0 ? "" : `; known are ${known.join(", ")}`;
}

/** The nearest known name, if any is near; case is ignored. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const far = (other: string) => distance(name.toLowerCase(), other.toLowerCase());
  const [best] = [...known].sort((a, b) => far(a) - far(b));
  return best !== undefined && far(best) <= Math.max(2, name.length / 2) ? best : undefined;
}
