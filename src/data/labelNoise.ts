/**
 * Label noise on plain integer arrays. Each generator starts from the clean labels, takes an exact number of them by a random
 * permutation, and reports the rate and the transition matrix that result. Noise has its own seed, apart from the training seed.
 */
import { checkOptions, Rng } from "../engine";
import { checkLabels } from "./dataset";

/** Wrong labels beside the true ones, and how they were made. */
export interface NoisyLabels {
  /** source of the labels, such as "symmetric" */
  readonly noiseType: string;
  /** requested rate, in [0, 1]; absent for labels from a matrix or a file */
  readonly noiseRate?: number;
  readonly seed?: number | string;
  readonly numClasses: number;
  readonly cleanLabels: readonly number[];
  readonly noisyLabels: readonly number[];
  /** noisy ≠ clean, per example */
  readonly flipped: readonly boolean[];
  /** share of flipped labels */
  readonly actualNoiseRate: number;
  /** (numClasses, numClasses) realized shares; row: clean class, column: noisy class. A class without examples has the unit row */
  readonly transitionMatrix: readonly (readonly number[])[];
}

/** Options that all kinds of noise share. */
export interface NoiseOptions {
  /** share of the labels that are chosen to be changed, in [0, 1] */
  noiseRate: number;
  numClasses: number;
  /** 0: ours */
  seed?: number | string;
}

/** Options of `symmetricNoise`. */
export interface SymmetricNoiseOptions extends NoiseOptions {
  /**
   * false (ours; the paper does not say): every chosen label becomes one of the numClasses − 1 others, so the actual rate is noiseRate.
   * true (DivideMix' code): a chosen label is redrawn from all classes, so the actual rate is about noiseRate·(1 − 1/numClasses).
   */
  includeTrueClass?: boolean;
}

const transitionKinds = { noiseRate: "number", numClasses: "number" } as const;
const noiseKinds = { ...transitionKinds, seed: { types: ["number", "string"] } } as const;
const symmetricKinds = { ...noiseKinds, includeTrueClass: "boolean" } as const;

/**
 * ⌊noiseRate·n⌋ labels become any other class, or any class.
 * @throws if an option is unknown or out of range, or a label is not a class
 */
export function symmetricNoise(labels: ArrayLike<number>, options: SymmetricNoiseOptions): NoisyLabels {
  checkOptions(options, symmetricKinds, "symmetricNoise");
  const { noiseRate, numClasses, includeTrueClass = false, seed = 0 } = options;
  const noiseType = includeTrueClass ? "symmetric-including-true" : "symmetric";
  return flipChosen(labels, { noiseRate, numClasses, seed, noiseType }, (label, rng) =>
    includeTrueClass ? rng.int(numClasses) : (label + 1 + rng.int(numClasses - 1)) % numClasses,
  );
}

/** ⌊noiseRate·n⌋ labels become the next class, the last one the first (Han et al. 2018; CIFAR-100 and SVHN's asymmetric noise). */
export function pairFlipNoise(labels: ArrayLike<number>, options: NoiseOptions): NoisyLabels {
  checkOptions(options, noiseKinds, "pairFlipNoise");
  const { noiseRate, numClasses, seed = 0 } = options;
  return flipChosen(labels, { noiseRate, numClasses, seed, noiseType: "pair-flip" }, (label) => (label + 1) % numClasses);
}

/** Maps each class to the class it is mistaken for; classes not listed keep their labels. */
export type ClassMap = Readonly<Record<number, number>>;

/** Asymmetric maps of the literature. */
export const asymmetricMaps = {
  /** truck → automobile, bird → airplane, deer → horse, cat ↔ dog (Patrini et al. 2017) */
  cifar10: { 9: 1, 2: 0, 4: 7, 3: 5, 5: 3 },
  /** ankle boot → sneaker, sneaker → sandal, pullover → shirt, coat ↔ dress (Zhang and Sabuncu 2018) */
  fashionMnist: { 9: 7, 7: 5, 2: 6, 4: 3, 3: 4 },
  /** 2 → 7, 3 → 8, 7 → 1, 5 ↔ 6 (Patrini et al. 2017) */
  mnist: { 2: 7, 3: 8, 7: 1, 5: 6, 6: 5 },
} as const satisfies Record<string, ClassMap>;

/** Options of `asymmetricNoise`. */
export interface AsymmetricNoiseOptions {
  /** share of the labels of each mapped class that are chosen, in [0, 1]; the rate over all classes is lower */
  noiseRate: number;
  /** 10: the classes of the default map */
  numClasses?: number;
  /** CIFAR-10's: the literature's default */
  map?: ClassMap;
  /** 0: ours */
  seed?: number | string;
}

/**
 * In each mapped class, ⌊noiseRate·n⌋ of its n labels become the mapped class. All flips start from the clean labels; applied class by
 * class, cats would become dogs and then cats again.
 */
export function asymmetricNoise(labels: ArrayLike<number>, options: AsymmetricNoiseOptions): NoisyLabels {
  checkOptions(options, { ...noiseKinds, map: "object" }, "asymmetricNoise");
  const { noiseRate, numClasses = 10, seed = 0 } = options;
  const map: ClassMap = options.map ?? asymmetricMaps.cifar10;
  const about = { noiseRate, numClasses, seed, noiseType: "asymmetric" };
  const clean = checkInput(labels, about);
  checkRate(noiseRate);
  checkMap(map, numClasses);
  const noisy = clean.slice();
  const rng = noiseStream(about);
  for (const from of Object.keys(map).map(Number)) {
    const members = membersOf(clean, from);
    for (const i of choose(members, exactCount(noiseRate, members.length), rng.split(from))) noisy[i] = map[from]!;
  }
  return record(clean, noisy, about);
}

/** Options of `instanceNoise`. */
export interface InstanceNoiseOptions extends NoiseOptions {
  /** (n·d) features of the examples, row by row, such as normalized pixels */
  features: ArrayLike<number>;
  /** standard deviation of the examples' own flip rates; 0.1: Xia et al. 2020 */
  rateStd?: number;
}

/**
 * Instance-dependent noise (Xia et al. 2020, Algorithm 2): example i flips at its own rate qᵢ ~ N(noiseRate, rateStd²) on [0, 1],
 * to another class with probabilities softmax(xᵢ·W_y), W_y random normal. The number of flips is random.
 */
export function instanceNoise(labels: ArrayLike<number>, options: InstanceNoiseOptions): NoisyLabels {
  checkOptions(options, { ...noiseKinds, features: "array", rateStd: "number" }, "instanceNoise");
  const { noiseRate, numClasses, features, rateStd = 0.1, seed = 0 } = options;
  if (!(rateStd >= 0 && rateStd <= 1)) throw new Error(`rateStd = ${rateStd}: expected a number from 0 to 1`);
  if (features === undefined) throw new Error("instanceNoise: features are missing, expected those of each label, row by row");
  const about = { noiseRate, numClasses, seed, noiseType: "instance" };
  const clean = checkInput(labels, about);
  checkRate(noiseRate);
  if (clean.length === 0 || features.length % clean.length !== 0 || features.length === 0)
    throw new Error(`instanceNoise: ${features.length} feature values for ${clean.length} labels, expected a multiple`);
  const rng = noiseStream(about);
  const noisy = clean.slice();
  for (let label = 0; label < numClasses; label++) {
    const weights = rng
      .split("projection")
      .split(label)
      .array((features.length / clean.length) * numClasses);
    for (const i of membersOf(clean, label)) {
      const stream = rng.split("example").split(i);
      if (stream.uniform() < truncatedNormal(noiseRate, rateStd, stream))
        noisy[i] = drawIndex(otherClasses(features, i, { weights, label, numClasses }), stream);
    }
  }
  return record(clean, noisy, about);
}

/** Options of `transitionNoise`. */
export interface TransitionNoiseOptions {
  /** 0: ours */
  seed?: number | string;
  /** "exact" (ours): counts per class follow the matrix, rounded; "independent": each label is drawn independently */
  sampling?: "exact" | "independent";
}

/**
 * Labels of class i become j with probability matrix[i][j].
 * @throws if the matrix is not square, an entry is outside [0, 1], or a row does not sum to 1
 */
export function transitionNoise(
  labels: ArrayLike<number>,
  matrix: readonly (readonly number[])[],
  options: TransitionNoiseOptions = {},
): NoisyLabels {
  checkOptions(options, { seed: noiseKinds.seed, sampling: { values: ["exact", "independent"] } }, "transitionNoise");
  const { seed = 0, sampling = "exact" } = options;
  checkTransitionMatrix(matrix);
  const about = { numClasses: matrix.length, seed, noiseType: "transition" };
  const clean = checkInput(labels, about);
  const noisy = clean.slice();
  matrix.forEach((row, from) => {
    const members = membersOf(clean, from);
    const rng = noiseStream(about).split(from);
    const targets = sampling === "exact" ? exactTargets(row, members.length) : members.map(() => drawIndex(row, rng));
    choose(members, members.length, rng).forEach((i, at) => (noisy[i] = targets[at]!));
  });
  return record(clean, noisy, about);
}

/** The matrix of `symmetricNoise`, for the losses that need one. */
export function symmetricTransition(options: Omit<SymmetricNoiseOptions, "seed">): number[][] {
  const { seed: _, ...kinds } = symmetricKinds;
  checkOptions(options, kinds, "symmetricTransition");
  const { noiseRate, numClasses, includeTrueClass = false } = options;
  checkNumClasses(numClasses);
  checkRate(noiseRate);
  const share = includeTrueClass ? noiseRate / numClasses : noiseRate / (numClasses - 1);
  return squareMatrix(numClasses, (i, j) => (i === j ? 1 - share * (numClasses - 1) : share));
}

/** The matrix of `pairFlipNoise`. */
export function pairFlipTransition(options: Omit<NoiseOptions, "seed">): number[][] {
  checkOptions(options, transitionKinds, "pairFlipTransition");
  const { noiseRate, numClasses } = options;
  checkNumClasses(numClasses);
  return asymmetricTransition({
    noiseRate,
    numClasses,
    map: Object.fromEntries(Array.from({ length: numClasses }, (_, i) => [i, (i + 1) % numClasses])),
  });
}

/** The matrix of `asymmetricNoise`. */
export function asymmetricTransition(options: Omit<AsymmetricNoiseOptions, "seed">): number[][] {
  checkOptions(options, { ...transitionKinds, map: "object" }, "asymmetricTransition");
  const { noiseRate, numClasses = 10 } = options;
  const map: ClassMap = options.map ?? asymmetricMaps.cifar10;
  checkNumClasses(numClasses);
  checkRate(noiseRate);
  checkMap(map, numClasses);
  const to = (i: number) => map[i] ?? i;
  return squareMatrix(numClasses, (i, j) => (i === j ? 1 : 0) + (j === to(i) ? noiseRate : 0) - (i === j ? noiseRate : 0));
}

/** Options of `transitionMatrixWithTrace`. */
export interface TransitionTraceOptions {
  numClasses: number;
  /** sum of the diagonal, in [0, numClasses] */
  trace: number;
  /** 0: ours */
  seed?: number | string;
}

/**
 * A random transition matrix whose diagonal sums to `trace`, in [0, numClasses]: a mean noise rate of 1 − trace/numClasses over
 * balanced classes. Diagonal: uniform draws, scaled to the sum; the rest of each row: uniform over its simplex.
 */
export function transitionMatrixWithTrace(options: TransitionTraceOptions): number[][] {
  checkOptions(options, { numClasses: "number", trace: "number", seed: noiseKinds.seed }, "transitionMatrixWithTrace");
  const { numClasses, trace, seed = 0 } = options;
  checkNumClasses(numClasses);
  if (!(trace >= 0 && trace <= numClasses))
    throw new Error(`trace = ${trace}: expected a number from 0 to numClasses = ${numClasses}`);
  const rng = new Rng(seed).split("transition-matrix");
  return diagonalWithSum(numClasses, trace, rng).map((stay, i) => {
    const others = simplex(numClasses - 1, rng.split(i)).map((share) => share * (1 - stay));
    return [...others.slice(0, i), stay, ...others.slice(i)];
  });
}

/** Compares noisy labels with the clean ones: mask, rate and transition matrix. Both are checked. */
export function compareLabels(
  cleanLabels: ArrayLike<number>,
  noisyLabels: ArrayLike<number>,
  { numClasses, noiseType = "given" }: { numClasses: number; noiseType?: string },
): NoisyLabels {
  if (noisyLabels.length !== cleanLabels.length)
    throw new Error(`${noisyLabels.length} noisy labels, expected ${cleanLabels.length}: one for each clean label`);
  checkLabels(noisyLabels, { name: "noisy labels", numClasses });
  return record(checkInput(cleanLabels, { numClasses }), Array.from(noisyLabels), { numClasses, noiseType });
}

/** @throws if the matrix is not square, an entry is outside [0, 1], or a row does not sum to 1 */
export function checkTransitionMatrix(matrix: readonly (readonly number[])[]): void {
  if (matrix.length < 2) throw new Error(`transition matrix with ${matrix.length} rows, expected at least 2`);
  matrix.forEach((row, i) => {
    if (row.length !== matrix.length)
      throw new Error(`transition matrix: row ${i} has ${row.length} entries, expected ${matrix.length}`);
    const wrong = row.findIndex((p) => !(p >= 0 && p <= 1));
    if (wrong >= 0) throw new Error(`transition matrix: entry (${i}, ${wrong}) is ${row[wrong]}, expected a probability`);
    const sum = row.reduce((total, p) => total + p, 0);
    if (Math.abs(sum - 1) > 1e-6) throw new Error(`transition matrix: row ${i} sums to ${sum}, expected 1`);
  });
}

interface About {
  noiseType: string;
  noiseRate?: number;
  numClasses: number;
  seed?: number | string;
}

function flipChosen(
  labels: ArrayLike<number>,
  about: About & NoiseOptions,
  flip: (label: number, rng: Rng) => number,
): NoisyLabels {
  const clean = checkInput(labels, about);
  checkRate(about.noiseRate);
  const noisy = clean.slice();
  const rng = noiseStream(about);
  const all = clean.map((_, i) => i);
  for (const i of choose(all, exactCount(about.noiseRate, clean.length), rng)) noisy[i] = flip(clean[i]!, rng.split(i));
  return record(clean, noisy, about);
}

/** Share of the labels that differ from the clean ones, in [0, 1]; 0 for an empty list. */
export function shareOfFlipped(labels: ArrayLike<number>, cleanLabels: ArrayLike<number>): number {
  if (labels.length === 0) return 0;
  return Array.from(labels).filter((label, i) => label !== cleanLabels[i]).length / labels.length;
}

function record(clean: number[], noisy: number[], about: About): NoisyLabels {
  const flipped = noisy.map((label, i) => label !== clean[i]);
  const actualNoiseRate = shareOfFlipped(noisy, clean);
  return {
    ...about,
    cleanLabels: clean,
    noisyLabels: noisy,
    flipped,
    actualNoiseRate,
    transitionMatrix: realized(clean, noisy, about.numClasses),
  };
}

function realized(clean: number[], noisy: number[], numClasses: number): number[][] {
  const counts = squareMatrix(numClasses, () => 0);
  clean.forEach((label, i) => counts[label]![noisy[i]!]!++);
  return counts.map((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, j) => (total > 0 ? count / total : Number(i === j)));
  });
}

/** Ours: a transition matrix has numClasses² numbers, 134 MB for this many. */
const MAX_CLASSES = 4096;

/** @throws if the number of classes has no transition matrix, or one too large */
export function checkNumClasses(numClasses: number): void {
  if (!Number.isInteger(numClasses) || numClasses < 2 || numClasses > MAX_CLASSES)
    throw new Error(`numClasses = ${numClasses}: expected an integer from 2 to ${MAX_CLASSES}`);
}

function checkInput(labels: ArrayLike<number>, { numClasses }: { numClasses: number }): number[] {
  checkNumClasses(numClasses);
  checkLabels(labels, { name: "clean labels", numClasses });
  return Array.from(labels);
}

function noiseStream({ seed = 0, noiseType }: About): Rng {
  return new Rng(seed).split("label-noise").split(noiseType);
}

function checkMap(map: ClassMap, numClasses: number): void {
  for (const [from, to] of Object.entries(map)) checkLabels([Number(from), to], { name: `map ${from} → ${to}`, numClasses });
}

function checkRate(noiseRate: number): void {
  if (!(noiseRate >= 0 && noiseRate <= 1)) throw new Error(`noiseRate = ${noiseRate}: expected a number from 0 to 1`);
}

// 0.29 · 100 is 28.999999999999996 in floating point, but the caller means 29.
function exactCount(rate: number, n: number): number {
  return Math.floor(rate * n + 1e-9);
}

function membersOf(labels: readonly number[], label: number): number[] {
  return labels.flatMap((each, i) => (each === label ? [i] : []));
}

// A larger count extends the choice of a smaller one, so that noise of 40 % contains that of 20 %.
function choose(from: readonly number[], count: number, rng: Rng): number[] {
  return Array.from(rng.split("choice").permutation(from.length).subarray(0, count), (at) => from[at]!);
}

// Rounds by largest remainder, so that the counts sum to n and each is off by less than 1.
function exactTargets(row: readonly number[], n: number): number[] {
  const counts = row.map((p) => exactCount(p, n));
  const missing = n - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = row.map((p, j) => ({ j, rest: p * n - counts[j]! })).sort((a, b) => b.rest - a.rest || a.j - b.j);
  for (const { j } of byRemainder.slice(0, missing)) counts[j]!++;
  return counts.flatMap((count, j) => new Array<number>(count).fill(j));
}

function truncatedNormal(mean: number, std: number, rng: Rng): number {
  for (;;) {
    const value = mean + std * rng.normal();
    if (value >= 0 && value <= 1) return value;
  }
}

// softmax of xᵢ·W over the other classes; weights: (d, numClasses).
function otherClasses(
  features: ArrayLike<number>,
  i: number,
  { weights, label, numClasses }: { weights: Float32Array; label: number; numClasses: number },
): Float64Array {
  const scores = new Float64Array(numClasses);
  const d = weights.length / numClasses;
  for (let f = 0; f < d; f++) {
    const x = features[i * d + f]!;
    if (x !== 0) for (let k = 0; k < numClasses; k++) scores[k]! += x * weights[f * numClasses + k]!;
  }
  scores[label] = -Infinity;
  const top = scores.reduce((max, score) => Math.max(max, score), -Infinity);
  const odds = scores.map((score) => Math.exp(score - top));
  const total = odds.reduce((sum, p) => sum + p, 0);
  return odds.map((p) => p / total);
}

function drawIndex(probabilities: ArrayLike<number>, rng: Rng): number {
  let rest = rng.uniform();
  let last = 0;
  for (let k = 0; k < probabilities.length; k++) {
    if (probabilities[k]! <= 0) continue;
    if ((rest -= probabilities[k]!) < 0) return k;
    last = k; // rounding may leave a remainder after the last class
  }
  return last;
}

function squareMatrix(size: number, entry: (i: number, j: number) => number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => entry(i, j)));
}

// Scales toward 0 or toward 1, so that every entry stays in [0, 1].
function diagonalWithSum(size: number, sum: number, rng: Rng): number[] {
  const draws = Array.from({ length: size }, () => rng.uniform());
  const total = draws.reduce((a, b) => a + b, 0);
  if (sum <= total) return draws.map((x) => (x * sum) / total);
  return draws.map((x) => 1 - ((1 - x) * (size - sum)) / (size - total));
}

function simplex(size: number, rng: Rng): number[] {
  const draws = Array.from({ length: size }, () => rng.gamma(1));
  const total = draws.reduce((a, b) => a + b, 0);
  return draws.map((x) => x / total);
}
