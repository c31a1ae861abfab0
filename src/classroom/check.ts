/** The one function that an assignment's tests call: it compares a value with what is expected and says the outcome in a sentence. */

/** Options of `check`. */
export interface CheckOptions {
  /** Largest difference of numbers, relative where the expected one is above 1. Default 1e-6 (ours: some digits of float32). */
  readonly tolerance?: number;
}

/** Outcome of one check. */
export interface Verdict {
  /** What was checked, as a statement. */
  readonly title: string;
  /** Why it does not hold; undefined where it does. */
  readonly problem?: string;
}

/** A value, or a function that returns true, or a sentence that says what is wrong. */
export type Expected<Value> = Value | ((value: Value) => boolean | string);

let listener: ((verdict: Verdict) => void) | undefined;

/** Receives the verdicts in place of the notebook's reader; undefined prints them again. */
export function onVerdict(receive: typeof listener): void {
  listener = receive;
}

/**
 * Says whether `compute()` gives what is expected: "ok" on stdout, or one line on stderr. It never throws, so that the cells behind it
 * run. Lists and objects are compared entry by entry. Where `compute` returns a promise, so does `check`.
 *
 *     check("the norm of (3, 4) is 5", () => norm([3, 4]), 5);
 */
export function check<Value>(
  title: string,
  compute: () => Value,
  expected: Expected<Awaited<Value>>,
  options: CheckOptions = {},
): Value extends PromiseLike<unknown> ? Promise<void> : void {
  type Outcome = Value extends PromiseLike<unknown> ? Promise<void> : void;
  const judge = (value: unknown) => tell({ title, problem: problemOf(value, expected as Expected<unknown>, options) });
  const fail = (error: unknown) => tell({ title, problem: `your code stopped with "${messageOf(error)}"` });
  try {
    const value = compute();
    if (isPromise(value)) return value.then(judge).catch(fail) as Outcome;
    return judge(value) as Outcome;
  } catch (error) {
    return fail(error) as Outcome;
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined)?.then === "function";
}

function tell(verdict: Verdict): void {
  if (listener) return listener(verdict);
  if (verdict.problem === undefined) console.log(`ok: ${verdict.title}`);
  else console.error(`not yet: ${verdict.title}: ${verdict.problem}`);
}

function problemOf(value: unknown, expected: Expected<unknown>, { tolerance = 1e-6 }: CheckOptions): string | undefined {
  if (typeof expected !== "function") return differenceOf(value, expected, { tolerance, at: "" });
  const verdict = (expected as (value: unknown) => boolean | string)(value);
  if (verdict === true) return undefined;
  return typeof verdict === "string" ? verdict : `got ${show(value)}`;
}

interface Place {
  readonly tolerance: number;
  /** Path of the entry, such as [2].loss */
  readonly at: string;
}

function differenceOf(value: unknown, expected: unknown, { tolerance, at }: Place): string | undefined {
  const said = `expected ${show(expected)}${at && ` at ${at}`}, got ${show(value)}`;
  if (typeof expected === "number") return typeof value === "number" && near(value, expected, tolerance) ? undefined : said;
  if (typeof expected !== "object" || expected === null) return Object.is(value, expected) ? undefined : said;
  if (isList(expected) !== isList(value) || typeof value !== "object" || value === null) return said;
  if (isList(expected) && expected.length !== (value as ArrayLike<unknown>).length)
    return `expected ${expected.length} entries${at && ` at ${at}`}, got ${(value as ArrayLike<unknown>).length}`;
  for (const key of Object.keys(expected)) {
    const entry = isList(expected) ? `${at}[${key}]` : `${at}.${key}`;
    const inner = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    const problem = differenceOf(inner, (expected as Record<string, unknown>)[key], { tolerance, at: entry });
    if (problem) return problem;
  }
  return undefined;
}

function near(value: number, expected: number, tolerance: number): boolean {
  return value === expected || Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected));
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** A value in at most 80 characters. */
function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "number" || value === undefined) return String(value);
  const plain = ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
  const text =
    JSON.stringify(plain, (_, each) => (typeof each === "number" && !Number.isFinite(each) ? String(each) : each)) ?? "";
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
