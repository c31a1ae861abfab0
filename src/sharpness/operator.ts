/** Symmetric linear operators. Lanczos, power iteration, quadrature and trace estimates see a Hessian only as v ↦ Av. */
import { checkOptions, pause, Rng, type OptionKind, type OptionKinds } from "../engine";
import { dot, norm, Vector } from "./vector";

/** A symmetric matrix that is only known by its products. */
export interface LinearOperator {
  /** Rows = columns. */
  readonly size: number;
  /** (size) → (size). May be synchronous or return a promise; must not keep or change its argument. A long product heeds the signal. */
  matvec(v: Float32Array, run?: { readonly signal?: AbortSignal }): Promise<Float32Array> | Float32Array;
}

/** Options of `matrixOperator`. */
export interface MatrixOperatorOptions {
  /** Rows = columns; needed for a function, taken from a dense matrix. */
  size?: number;
}

/** Rows of a dense matrix: nested arrays, or typed arrays as rows. */
export type DenseMatrix = ArrayLike<ArrayLike<number>>;

/** The product of a matrix with a vector. */
export type Matvec = (v: Float32Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

/**
 * An operator from a function v ↦ Av, or from a dense symmetric matrix, whose products are summed in float64.
 *
 *     matrixOperator((v) => v.map((x, i) => i * x), { size: 100 });
 *     matrixOperator([[2, 1], [1, 2]]);
 *
 * @throws if a dense matrix is not square or not symmetric
 */
export function matrixOperator(matrix: Matvec | DenseMatrix, options: MatrixOperatorOptions = {}): LinearOperator {
  checkOptions(options, { size: "number" }, "matrixOperator");
  const { size } = options;
  if (typeof matrix === "function") return { size: checkSize(size), matvec: (v) => toFloat32(matrix(v)) };
  const rows = checkMatrix(matrix, size);
  return { size: rows.length, matvec: (v) => Float32Array.from(rows, (row) => dot(row, v)) };
}

/** Options of `checkOperator`. */
export interface CheckOptions {
  /** Seed of the random vectors. */
  seed?: number | string;
  /** Largest relative difference that passes. Ours: 1e-4, some tens of times what float32 products of deep nets show. */
  tolerance?: number;
}

/** Result of `checkOperator`. */
export interface OperatorCheck {
  /** ‖Av − (Av again)‖ / ‖Av‖: not 0 where the operator draws random numbers. */
  readonly repeatability: number;
  /** |uᵀAv − vᵀAu| / (‖Av‖ ‖Au‖)^½ for unit u and v: not 0 where A is not symmetric. */
  readonly asymmetry: number;
}

/**
 * Three products that tell whether `operator` is one fixed symmetric matrix. Everything in this folder rests on that.
 *
 * @throws if two products of one vector differ, or uᵀAv ≠ vᵀAu, by more than `tolerance`
 */
export async function checkOperator(operator: LinearOperator, options: CheckOptions = {}): Promise<OperatorCheck> {
  checkOptions(options, { seed: SEED, tolerance: "number" }, "checkOperator");
  const { seed = 0, tolerance = 1e-4 } = options;
  checkOver("tolerance", tolerance, 0);
  const [u, v] = ["u", "v"].map((name) => new Rng(seed).split(name).array(operator.size)) as [Float32Array, Float32Array];
  const av = await product(operator, v);
  const repeatability = relativeDifference(av, await product(operator, v));
  if (!(repeatability <= tolerance)) throw new Error(notRepeatable(repeatability));
  const au = await product(operator, u);
  const asymmetry = Math.abs(dot(u, av) - dot(v, au)) / (Math.sqrt(norm(au) * norm(av) * norm(u) * norm(v)) || 1);
  if (!(asymmetry <= tolerance)) throw new Error(`the operator is not symmetric: uᵀAv and vᵀAu differ by ${percent(asymmetry)}`);
  return { repeatability, asymmetry };
}

/** ‖a − b‖ / ‖a‖, 0 where both are zero. */
function relativeDifference(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum === 0 ? 0 : Math.sqrt(sum) / (norm(a) || norm(b));
}

function notRepeatable(difference: number): string {
  return (
    `two products of one vector differ by ${percent(difference)}: the loss draws random numbers. ` +
    `Switch dropout, noise and augmentation off (training: false), or fix their masks`
  );
}

/** One checked product, on copies: an operator may work in place or return the same array every time. */
export async function product(operator: LinearOperator, v: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
  const result = Float32Array.from(await operator.matvec(v.slice(), { signal }));
  if (result.length !== operator.size)
    throw new Error(`matvec returned ${result.length} values, expected the operator's size ${operator.size}`);
  if (!Number.isFinite(dot(result, result))) throw new Error(notFinite(result));
  return result;
}

function notFinite(result: Float32Array): string {
  const i = result.findIndex((x) => !Number.isFinite(x));
  return `matvec returned ${result[i]} at index ${i}: expected finite numbers`;
}

/** Progress and abort, the same for every routine that takes many products or passes over data. */
export interface ProductOptions {
  /** Called after each product, point or block. */
  onProgress?: (progress: ProductProgress) => void;
  /** Stops before the next product, point or batch; the routine then throws the signal's reason. */
  signal?: AbortSignal;
}

export const SEED: OptionKind = { types: ["number", "string"] };
export const productKinds: OptionKinds<ProductOptions> = { onProgress: "function", signal: "object" };

/** How many products are done. */
export interface ProductProgress {
  /** Products done. */
  readonly done: number;
  /** Products planned; a routine that stops early needs fewer. */
  readonly total: number;
}

/** An operator whose products are checked, counted, reported and can be stopped. */
export class CountedOperator implements LinearOperator {
  readonly size: number;
  products = 0;

  constructor(
    private readonly operator: LinearOperator,
    private readonly total: number,
    private readonly run: ProductOptions = {},
  ) {
    this.size = checkSize(operator.size);
  }

  async matvec(v: Float32Array): Promise<Float32Array> {
    const { onProgress, signal } = this.run;
    signal?.throwIfAborted();
    const result = await product(this.operator, v, signal);
    this.products++;
    onProgress?.({ done: this.products, total: this.total });
    await pause(signal);
    return result;
  }
}

/** Reports progress, and lets the event loop turn. @throws the signal's reason, if it was aborted */
export async function report({ onProgress, signal }: ProductOptions, done: number, total: number): Promise<void> {
  onProgress?.({ done, total });
  await pause(signal);
}

/** A finite number above `least` (or equal to it), or an error that names it. */
export function checkOver(name: string, value: number, least: number, orEqual = true): number {
  if (!(value < Infinity && (value > least || (orEqual && value === least))))
    throw new Error(`${name} = ${value}: expected a finite number ${orEqual ? "≥" : ">"} ${least}`);
  return value;
}

/** A positive whole number, or an error that names it. */
export function checkCount(name: string, value: number, least = 1): number {
  if (!Number.isInteger(value) || value < least) throw new Error(`${name} = ${value}: expected a whole number ≥ ${least}`);
  return value;
}

function checkSize(size: number | undefined): number {
  if (size === undefined) throw new Error("size is missing: a function does not tell how long its vectors are");
  return checkCount("size", size);
}

function toFloat32(result: ArrayLike<number> | Promise<ArrayLike<number>>): Float32Array | Promise<Float32Array> {
  return "then" in result ? result.then((values) => Float32Array.from(values)) : Float32Array.from(result);
}

function checkMatrix(matrix: DenseMatrix, size = matrix.length): Float64Array[] {
  const rows = Array.from(matrix, (row) => Float64Array.from(row));
  const wrong = rows.findIndex((row) => row.length !== rows.length);
  if (rows.length !== size) throw new Error(`the matrix has ${rows.length} rows, expected size ${size}`);
  if (rows.length === 0) throw new Error("the matrix is empty");
  if (wrong >= 0) throw new Error(`row ${wrong} of the matrix has ${rows[wrong]!.length} values, expected ${rows.length}`);
  const scale = Math.max(...rows.map((row) => row.reduce((max, x) => Math.max(max, Math.abs(x)), 0)));
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) checkEntry(rows, i, j, scale);
  return rows;
}

// 1e-5: what a symmetric matrix that went through float32 arithmetic may show.
function checkEntry(rows: Float64Array[], i: number, j: number, scale: number): void {
  const [a, b] = [rows[i]![j]!, rows[j]![i]!];
  if (Math.abs(a - b) > 1e-5 * scale) throw new Error(`the matrix is not symmetric: (${i}, ${j}) is ${a}, (${j}, ${i}) is ${b}`);
}

function percent(x: number): string {
  return `${(100 * x).toPrecision(2)} %`;
}
