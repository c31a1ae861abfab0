/**
 * SAM wrapped around any tf.Optimizer, for stock layers models and custom loops:
 * `model.compile({ optimizer: new SAM(tf.train.momentum(0.1, 0.9), { rho: 0.05 }), loss })`, then `model.fit`.
 */
import { checkOptions, globalNormTensor, mapWeights, Rng, tf, withRandom, type OptionKinds, type Weights } from "../engine";
import { checkSamOptions, findEpsilon, SAM_OPTIONS, type SamOptions } from "./sam";

/** Options of `SAM`. */
export interface SamOptimizerOptions extends Omit<SamOptions, "hessianVectorProduct"> {
  /** SAM on every `interval`-th step, starting with the first; plain steps of the base optimizer between. Default 1. */
  readonly interval?: number;
  /** True: the second pass draws its own dropout masks, as in most ports. Default false: both passes share them, as in the official code. */
  readonly freshMasks?: boolean;
  /** Seed of the dropout masks; default 0. */
  readonly seed?: number | string;
}

/** What the newest SAM step did, to see whether SAM is active. */
export interface SamDiagnosis {
  /** ‖ε̂‖ > 0 and the two gradients differ. */
  readonly active: boolean;
  readonly rho: number;
  /** ‖ε̂‖₂; equals ρ where normP = 2, one ascent step, not adaptive. */
  readonly epsilonNorm: number;
  /** Cosine between the gradients at w and at w + ε̂; 1 means that the ascent changed nothing. */
  readonly cosine: number;
  readonly lossBefore: number;
  /** Loss of the same batch at w + ε̂; at least `lossBefore` where ρ is small. */
  readonly lossAfter: number;
  /** Steps made with SAM. */
  readonly samSteps: number;
  /** All steps, those of the base optimizer between SAM's included. */
  readonly steps: number;
  /** One sentence for people. */
  readonly message: string;
}

/** A tensor under the name that a saved optimizer gives it. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

const OPTIMIZER_OPTIONS: OptionKinds<SamOptimizerOptions> = {
  ...withoutHessian(SAM_OPTIONS),
  interval: "number",
  freshMasks: "boolean",
  seed: { types: ["number", "string"] },
};

function withoutHessian({ hessianVectorProduct: _, ...options }: OptionKinds<SamOptions>) {
  return options;
}

type LossFn = () => tf.Scalar;
type Gradients = { value: tf.Scalar; grads: tf.NamedTensorMap };

/**
 * A tf.Optimizer that feeds the SAM gradient, ∇L(w + ε̂(w)), to a base optimizer.
 * Batch norm's moving averages (and any other variable that is not trained) are updated by the first pass only. Dropout masks
 * are the same in both passes. ρ = 0 is the base optimizer, bit for bit. Weights are restored from a copy, also when the loss
 * throws in the second pass: such a step leaves no trace.
 */
export class SAM extends tf.Optimizer {
  /** Name by which saved models find this class. */
  static readonly className = "SAM";
  readonly base: tf.Optimizer;
  readonly options: SamOptimizerOptions;
  private steps = 0;
  private samSteps = 0;
  /** (‖ε̂‖, cosine, loss at w, loss at w + ε̂) in the newest SAM step. */
  private newest: tf.Tensor1D | undefined;
  private ascent: Ascent | undefined;

  constructor(baseOptimizer: tf.Optimizer, options: SamOptimizerOptions = {}) {
    super();
    if (!(baseOptimizer instanceof tf.Optimizer)) {
      throw new Error("new SAM(baseOptimizer, options): expected a tf.Optimizer first, such as tf.train.momentum(0.1, 0.9)");
    }
    checkOptions(options, OPTIMIZER_OPTIONS, "new SAM");
    checkSamOptions(options);
    const { interval = 1 } = options;
    if (!Number.isInteger(interval) || interval < 1)
      throw new Error(`interval = ${interval}: expected a whole number of at least 1`);
    this.base = baseOptimizer;
    this.options = options;
  }

  get rho(): number {
    return this.options.rho ?? 0.05;
  }

  getClassName(): string {
    return SAM.className;
  }

  /** Loss at w and the SAM gradient; the weights are as before when it returns or throws. */
  computeGradients(f: LossFn, varList?: tf.Variable[]): Gradients {
    const { interval = 1 } = this.options;
    const gradients =
      this.rho === 0
        ? (this.base.computeGradients(f, varList) as Gradients)
        : this.steps % interval === 0
          ? this.samGradients(f, varList)
          : this.gradients(f, varList, this.maskSeed("masks"));
    this.steps++;
    return gradients;
  }

  applyGradients(gradients: tf.NamedTensorMap | NamedTensor[]): void {
    this.base.applyGradients(gradients);
  }

  /** First half of a step in a custom loop: moves the weights to w + ε̂ and returns the loss at w. `secondStep` must follow. */
  firstStep(f: LossFn, varList?: tf.Variable[]): tf.Scalar {
    if (this.ascent) throw new Error("firstStep was called twice: call secondStep before the next firstStep");
    this.ascent = this.climb(f, varList);
    return this.ascent.first.value.clone();
  }

  /** Second half: takes the gradient at w + ε̂, restores w, then applies the base optimizer's update. Returns the loss at w + ε̂. */
  secondStep(f: LossFn, varList?: tf.Variable[]): tf.Scalar {
    const { ascent } = this;
    if (!ascent) throw new Error("secondStep needs a firstStep before it");
    this.ascent = undefined;
    const { value, grads } = this.descend(ascent, f, varList);
    this.applyGradients(grads);
    tf.dispose(grads);
    this.steps++;
    return value;
  }

  /** A whole step from one closure; returns the loss at w. */
  step(f: LossFn, varList?: tf.Variable[]): tf.Scalar {
    return this.minimize(f, true, varList)!;
  }

  /** Reports whether SAM did anything in its newest step: ‖ε̂‖, the cosine of both gradients, the loss before and after the ascent. */
  diagnose(): SamDiagnosis {
    const { rho, steps, samSteps } = this;
    const [epsilonNorm, cosine, lossBefore, lossAfter] = this.newest ? [...this.newest.dataSync()] : [0, NaN, NaN, NaN];
    const active = epsilonNorm! > 0 && cosine! < 1;
    const numbers = { rho, epsilonNorm: epsilonNorm!, cosine: cosine!, lossBefore: lossBefore!, lossAfter: lossAfter! };
    return { active, ...numbers, samSteps, steps, message: explain({ active, ...numbers, samSteps, steps }) };
  }

  get iterations(): number {
    return this.base.iterations;
  }

  /** The base optimizer's learning rate. Setting it takes effect in the next step, even where the base optimizer's own property does not. */
  get learningRate(): number {
    return (this.base as unknown as { learningRate: number }).learningRate;
  }

  set learningRate(learningRate: number) {
    this.setLearningRate(learningRate);
  }

  /** Sets the step size of the base optimizer, so that a schedule can drive it. */
  setLearningRate(learningRate: number): void {
    const base = this.base as unknown as { setLearningRate?: (rate: number) => void; learningRate?: number };
    if (base.setLearningRate) base.setLearningRate(learningRate);
    else base.learningRate = learningRate;
  }

  /** State of SAM and of its base optimizer, for saving. */
  async getWeights(): Promise<NamedTensor[]> {
    return this.base.getWeights();
  }

  /** Restores what `getWeights` gave. */
  async setWeights(weights: NamedTensor[]): Promise<void> {
    const iterations = weights.find(({ name }) => name === "iter");
    if (iterations) this.steps = (await iterations.tensor.data())[0]!;
    return this.base.setWeights(weights);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { normP = 2, ...rest } = this.options;
    const base = { className: this.base.getClassName(), config: this.base.getConfig() };
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    // JSON has no infinity.
    return { ...given, rho: this.rho, normP: normP === Infinity ? "Infinity" : normP, base } as tf.serialization.ConfigDict;
  }

  /**
   * The optimizer that `getConfig` described, as TensorFlow.js calls it when it loads a model.
   * @nocollapse
   */
  static fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const { base, normP, ...options } = config as {
      base: { className: string; config: tf.serialization.ConfigDict };
      normP: unknown;
      customObjects?: unknown;
    };
    delete options.customObjects; // loadLayersModel adds it.
    const entry = tf.serialization.SerializationMap.getMap().classNameMap[base.className];
    if (!entry) throw new Error(`saved SAM: the base optimizer "${base.className}" is not known here`);
    return new (cls as unknown as new (b: unknown, o: unknown) => T)(entry[1](entry[0], base.config), {
      ...options,
      normP: Number(normP),
    });
  }

  dispose(): void {
    this.ascent?.undo();
    this.ascent = undefined;
    this.newest?.dispose();
    this.newest = undefined;
    this.base.dispose();
  }

  private samGradients(f: LossFn, varList: tf.Variable[] | undefined): Gradients {
    const ascent = this.climb(f, varList);
    const first = ascent.first.value.clone();
    try {
      const { value, grads } = this.descend(ascent, f, varList);
      value.dispose();
      return { value: first, grads };
    } catch (error) {
      first.dispose();
      throw error;
    }
  }

  // Pass 1, and the ascent steps after it where there are several.
  private climb(f: LossFn, varList: tf.Variable[] | undefined): Ascent {
    const seed = this.maskSeed("masks");
    const before = new Snapshot(movingAverages());
    const ascent = undoOnError(before, () => new Ascent(this.gradients(f, varList, seed), before));
    const gradientAt = (weights: Weights) => {
      ascent.moveTo(weights);
      return present(this.gradients(f, varList, this.options.freshMasks ? this.maskSeed("fresh masks") : seed).grads);
    };
    return undoOnError(ascent, () => {
      const find = () => findEpsilon(gradientAt, present(ascent.first.grads), ascent.weights, { ...this.options, rho: this.rho });
      ascent.climbed(tf.tidy(find));
      return ascent;
    });
  }

  // Pass 2; then the weights are at w again.
  private descend(ascent: Ascent, f: LossFn, varList: tf.Variable[] | undefined): Gradients {
    const seed = this.maskSeed(this.options.freshMasks ? "fresh masks" : "masks");
    const second = undoOnError(ascent, () => this.gradients(f, varList, seed));
    this.remember(ascent, second);
    ascent.goBack();
    return second;
  }

  private gradients(f: LossFn, varList: tf.Variable[] | undefined, seed: Rng): Gradients {
    return tf.tidy(() => withRandom(seed.split("pass"), () => this.base.computeGradients(f, varList))) as Gradients;
  }

  private maskSeed(purpose: string): Rng {
    const { seed = 0 } = this.options;
    return new Rng(seed).split(purpose).split(this.steps);
  }

  private remember({ first, epsilon }: Ascent, second: Gradients): void {
    const now = tf.tidy(() => {
      const [a, b] = [present(first.grads), present(second.grads)];
      const dot = tf.addN(Object.keys(a).map((name) => tf.sum(tf.mul(a[name]!, b[name]!)) as tf.Scalar));
      const cosine = tf.divNoNan(dot, tf.mul(globalNormTensor(a), globalNormTensor(b)));
      return tf.stack([globalNormTensor(epsilon), cosine as tf.Scalar, first.value, second.value]) as tf.Tensor1D;
    });
    this.newest?.dispose();
    this.newest = tf.keep(now);
    this.samSteps++;
  }
}

tf.serialization.registerClass(SAM as unknown as tf.serialization.SerializableConstructor<tf.serialization.Serializable>);

/** Copies of some variables' values, to restore bit for bit. */
class Snapshot {
  readonly values: tf.Tensor[];

  constructor(readonly variables: tf.Variable[]) {
    this.values = variables.map((variable) => tf.keep(variable.clone()));
  }

  /** Restores the values and ends the snapshot. */
  undo(): void {
    this.variables.forEach((variable, i) => {
      const value = this.values[i]!;
      if (!variable.isDisposed && variable.dataId !== value.dataId) variable.assign(value);
    });
    this.dispose();
  }

  dispose(): void {
    tf.dispose(this.values);
  }
}

/** A step whose weights are away from w, and the way back. */
class Ascent {
  epsilon: Weights = {};
  private readonly original: Snapshot;
  private readonly averages: Snapshot;

  constructor(
    readonly first: Gradients,
    private readonly averagesBefore: Snapshot,
  ) {
    tf.keep(first.value);
    Object.values(present(first.grads)).forEach((gradient) => tf.keep(gradient));
    this.original = new Snapshot(Object.values(tf.engine().registeredVariables).filter(({ name }) => first.grads[name] != null));
    this.averages = new Snapshot(movingAverages());
  }

  /** w */
  get weights(): Weights {
    return Object.fromEntries(this.original.variables.map(({ name }, i) => [name, this.original.values[i]!]));
  }

  moveTo(weights: Weights): void {
    for (const variable of this.original.variables) variable.assign(weights[variable.name]!);
  }

  climbed(epsilon: Weights): void {
    this.epsilon = mapWeights(epsilon, (e) => tf.keep(e));
    tf.tidy(() => this.moveTo(mapWeights(this.weights, (w, name) => tf.add(w, epsilon[name]!))));
  }

  /** Returns to w and to the moving averages after pass 1. */
  goBack(): void {
    this.averages.undo();
    this.averagesBefore.dispose();
    this.end();
  }

  /** Returns to w and to the moving averages before the step. */
  undo(): void {
    this.averagesBefore.undo();
    this.averages.dispose();
    this.end();
  }

  private end(): void {
    this.original.undo();
    tf.dispose([this.first.value, present(this.first.grads), this.epsilon]);
  }
}

function undoOnError<T>(undoable: { undo(): void }, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    undoable.undo();
    throw error;
  }
}

// Batch norm's moving averages, and any other variable that the loss may change without training it.
function movingAverages(): tf.Variable[] {
  return Object.values(tf.engine().registeredVariables).filter(({ trainable }) => !trainable);
}

// A frozen variable has no gradient.
function present(grads: tf.NamedTensorMap): Weights {
  return Object.fromEntries(Object.entries(grads).filter(([, gradient]) => gradient != null));
}

type TrainFunction = (data: tf.Tensor[]) => tf.Tensor[];
type TrainableModel = { metricsTensors: unknown[]; makeTrainFunction(): TrainFunction };

// A layers model's loss function appends its metrics to one list in every pass. Only those of pass 1 are wanted.
function dropMetricsOfLaterPasses(model: TrainableModel): void {
  const stock = model.makeTrainFunction;
  model.makeTrainFunction = function () {
    const train = stock.call(this);
    return (data) => {
      const results = train(data);
      const wanted = results.slice(0, 1 + this.metricsTensors.length);
      tf.dispose(results.filter((result) => !wanted.includes(result)));
      return wanted;
    };
  };
}

dropMetricsOfLaterPasses(tf.LayersModel.prototype as unknown as TrainableModel);

function explain(diagnosis: Omit<SamDiagnosis, "message">): string {
  const { active, rho, epsilonNorm, cosine, lossBefore, lossAfter, samSteps, steps } = diagnosis;
  if (rho === 0) return "SAM is off: rho = 0, so every step is the base optimizer's.";
  if (samSteps === 0) return steps === 0 ? "No step yet: train first, then ask again." : "No SAM step yet.";
  const numbers = { "‖ε̂‖": epsilonNorm, cosine, "loss at w": lossBefore, "loss at w + ε̂": lossAfter };
  const broken = Object.entries(numbers).filter(([, value]) => !Number.isFinite(value));
  if (broken.length > 0)
    return `Training has diverged: ${broken.map(([name, value]) => `${name} = ${value}`).join(", ")} in the newest SAM step.`;
  if (epsilonNorm === 0) return "The gradient was zero, so nothing was perturbed.";
  if (!active)
    return "The gradient did not change over the ascent: the loss is linear there, or rho is below float32's resolution of the weights.";
  return `SAM is active: ‖ε̂‖ = ${epsilonNorm.toPrecision(3)}, cosine of the two gradients ${cosine.toFixed(3)}.`;
}
