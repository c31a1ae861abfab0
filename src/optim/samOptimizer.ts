/**
 * SAM around any tf.Optimizer, for stock layers models and custom loops:
 * `model.compile({ optimizer: new SAM(tf.train.momentum(0.1, 0.9), { rho: 0.05 }), loss })`, then `model.fit`.
 */
import { addWeights, globalNormTensor, Rng, tf, type Weights } from "../engine";
import { epsilonHat, projectToBall, type SamOptions } from "./sam";

export interface SamOptimizerOptions extends Omit<SamOptions, "hessianVectorProduct"> {
  /** SAM on every `interval`-th step, starting with the first; plain steps of the base optimizer between. Default 1. */
  readonly interval?: number;
  /** True: the second pass draws dropout masks of its own, as most ports do. Default false: the same masks, as the official code. */
  readonly freshMasks?: boolean;
}

/** Whether SAM is really active, from the newest step that used it. */
export interface SamDiagnosis {
  /** ‖ε̂‖ > 0 and the two gradients differ. */
  readonly active: boolean;
  readonly rho: number;
  /** ‖ε̂‖₂; equals ρ where normP = 2, one ascent step, not adaptive. */
  readonly epsilonNorm: number;
  /** Cosine of the gradients at w and at w + ε̂: 1 means that the ascent changed nothing. */
  readonly cosine: number;
  readonly lossBefore: number;
  /** On the same batch at w + ε̂; at least `lossBefore` where ρ is small. */
  readonly lossAfter: number;
  /** Steps made with SAM, and all steps. */
  readonly samSteps: number;
  readonly steps: number;
  /** One sentence for people. */
  readonly message: string;
}

/** A tensor under the name that a saved optimizer gives it. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

type LossFn = () => tf.Scalar;
type Gradients = { value: tf.Scalar; grads: tf.NamedTensorMap };

/**
 * A tf.Optimizer that feeds the SAM gradient, ∇L(w + ε̂(w)), to a base optimizer.
 * Moving averages of batch norm (any variable that is not being trained) keep what the first pass made of them; dropout
 * masks are the same in both passes; ρ = 0 is the base optimizer, bit for bit; weights are restored from a copy, also
 * when the loss throws in the second pass.
 */
export class SAM extends tf.Optimizer {
  /** Name under which saved models find it again. */
  static readonly className = "SAM";
  readonly base: tf.Optimizer;
  readonly options: SamOptimizerOptions;
  private steps = 0;
  private samSteps = 0;
  /** (‖ε̂‖, cosine, loss at w, loss at w + ε̂) of the newest SAM step. */
  private newest: tf.Tensor1D | undefined;
  private ascent: Ascent | undefined;
  private leftovers: tf.Tensor[] = [];

  constructor(baseOptimizer: tf.Optimizer, options: SamOptimizerOptions = {}) {
    super();
    if (!(baseOptimizer instanceof tf.Optimizer)) {
      throw new Error("new SAM(baseOptimizer, options): expected a tf.Optimizer first, such as tf.train.momentum(0.1, 0.9)");
    }
    const { rho = 0.05, interval = 1, ascentSteps = 1 } = options;
    if (!(rho >= 0) || rho === Infinity) throw new Error(`rho = ${rho}: expected a finite number ≥ 0`);
    if (!Number.isInteger(interval) || interval < 1)
      throw new Error(`interval = ${interval}: expected a whole number of at least 1`);
    if (!Number.isInteger(ascentSteps) || ascentSteps < 1)
      throw new Error(`ascentSteps = ${ascentSteps}: expected a whole number of at least 1`);
    rejectUnknownOptions(options);
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
    tf.dispose(this.leftovers.splice(0));
    const useSam = this.rho > 0 && this.steps % interval === 0;
    this.steps++;
    if (!useSam) return this.base.computeGradients(f, varList) as Gradients;
    const first = this.climb(f, varList);
    try {
      const { value, grads } = this.atPerturbedWeights(f, varList);
      this.remember(first, { value, grads });
      value.dispose();
      return { value: first.value, grads };
    } catch (error) {
      first.value.dispose();
      throw error;
    } finally {
      tf.dispose(first.grads);
      this.ascent?.restore();
      this.ascent = undefined;
    }
  }

  applyGradients(gradients: tf.NamedTensorMap | NamedTensor[]): void {
    // A frozen variable has no gradient; the stock optimizers would fail on it by name.
    if (!Array.isArray(gradients)) return this.base.applyGradients(gradients);
    this.base.applyGradients(gradients.filter(({ tensor }) => tensor != null));
  }

  /** First half of a step in a custom loop: leaves the weights at w + ε̂ and returns the loss at w. `secondStep` must follow. */
  firstStep(f: LossFn, varList?: tf.Variable[]): tf.Scalar {
    if (this.ascent) throw new Error("firstStep was called twice: call secondStep before the next firstStep");
    const { value, grads } = this.climb(f, varList);
    tf.dispose(grads);
    return value;
  }

  /** Second half: gradient at w + ε̂, weights back to w, then the base optimizer's update. Returns the loss at w + ε̂. */
  secondStep(f: LossFn, varList?: tf.Variable[]): tf.Scalar {
    if (!this.ascent) throw new Error("secondStep needs a firstStep before it");
    let perturbed: Gradients;
    try {
      perturbed = this.atPerturbedWeights(f, varList);
    } finally {
      this.ascent.restore();
      this.ascent = undefined;
    }
    this.applyGradients(perturbed.grads);
    tf.dispose(perturbed.grads);
    this.steps++;
    return perturbed.value;
  }

  /** A whole step from one closure; returns the loss at w. */
  step(f: LossFn, varList?: tf.Variable[]): tf.Scalar {
    return this.minimize(f, true, varList)!;
  }

  /** Says from the newest step whether SAM did anything: ‖ε̂‖, the cosine of both gradients, loss before and after the ascent. */
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

  /** Sets the step size of the base optimizer, so that a schedule can drive it. */
  setLearningRate(learningRate: number): void {
    const base = this.base as unknown as { setLearningRate?: (rate: number) => void; learningRate?: number };
    if (base.setLearningRate) base.setLearningRate(learningRate);
    else base.learningRate = learningRate;
  }

  async getWeights(): Promise<NamedTensor[]> {
    return this.base.getWeights();
  }

  async setWeights(weights: NamedTensor[]): Promise<void> {
    const iterations = weights.find(({ name }) => name === "iter");
    if (iterations) this.steps = (await iterations.tensor.data())[0]!;
    return this.base.setWeights(weights);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { normP = 2, ...rest } = this.options;
    const base = { className: this.base.getClassName(), config: this.base.getConfig() };
    // JSON has no infinity.
    return { ...rest, rho: this.rho, normP: normP === Infinity ? "Infinity" : normP, base } as tf.serialization.ConfigDict;
  }

  /** @nocollapse */
  static fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const { base, normP, ...options } = config as {
      base: { className: string; config: tf.serialization.ConfigDict };
      normP: unknown;
    };
    const entry = tf.serialization.SerializationMap.getMap().classNameMap[base.className];
    if (!entry) throw new Error(`saved SAM: the base optimizer "${base.className}" is not known here`);
    return new (cls as unknown as new (b: unknown, o: unknown) => T)(entry[1](entry[0], base.config), {
      ...options,
      normP: Number(normP),
    });
  }

  dispose(): void {
    tf.dispose([...this.leftovers.splice(0), ...(this.newest ? [this.newest] : [])]);
    this.newest = undefined;
    this.base.dispose();
  }

  // Pass 1, and the ascent steps after it where there are several.
  private climb(f: LossFn, varList: tf.Variable[] | undefined): Gradients {
    const seed = new Rng(`masks ${this.steps}`);
    const first = tf.tidy(() => withRandom(seed, () => this.base.computeGradients(f, varList))) as Gradients;
    const ascent = new Ascent(first.grads, seed);
    this.ascent = ascent;
    try {
      ascent.moveTo(tf.tidy(() => this.findEpsilon(f, varList, first.grads, ascent)));
    } catch (error) {
      ascent.restore();
      this.ascent = undefined;
      tf.dispose([first.value, first.grads]);
      throw error;
    }
    return first;
  }

  private findEpsilon(f: LossFn, varList: tf.Variable[] | undefined, firstGrads: tf.NamedTensorMap, ascent: Ascent): Weights {
    const { rho } = this;
    const { ascentSteps = 1, ascentStepSize = rho, normP = 2 } = this.options;
    const gradient = withoutMissing(firstGrads);
    if (ascentSteps === 1) return epsilonHat(gradient, { ...this.options, rho, weights: ascent.weights });
    let epsilon = projectToBall(epsilonHat(gradient, { ...this.options, rho: ascentStepSize }), { rho, normP });
    for (let pass = 2; pass <= ascentSteps; pass++) {
      ascent.moveTo(epsilon);
      const { grads } = this.atPerturbedWeights(f, varList);
      epsilon = projectToBall(addWeights(epsilon, epsilonHat(withoutMissing(grads), { ...this.options, rho: ascentStepSize })), {
        rho,
        normP,
      });
    }
    return epsilon;
  }

  private atPerturbedWeights(f: LossFn, varList: tf.Variable[] | undefined): Gradients {
    const seed = this.options.freshMasks ? new Rng(`fresh masks ${this.steps}`) : this.ascent!.seed;
    const run = () => tf.tidy(() => withRandom(seed, () => this.base.computeGradients(f, varList))) as Gradients;
    const { result, kept } = collectingKept(run);
    this.discardMetrics(kept);
    return result;
  }

  // model.fit keeps each metric (a scalar) that its loss function makes, and frees the first pass's only. It calls us inside
  // a tidy, which frees what is no longer kept; trainOnBatch and fitDataset still read the metrics, so they go one step later.
  private discardMetrics(kept: tf.Tensor[]): void {
    const metrics = kept.filter(({ rank }) => rank === 0);
    const insideTidy = tf.engine().state.scopeStack.length > 0;
    if (insideTidy) metrics.forEach((metric) => (metric.kept = false));
    else this.leftovers.push(...metrics);
  }

  private remember(first: Gradients, second: Gradients): void {
    const epsilon = this.ascent!.epsilon!;
    const now = tf.tidy(() => {
      const [a, b] = [withoutMissing(first.grads), withoutMissing(second.grads)];
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

/** The variables of one step while they are away from w, and the way back. */
class Ascent {
  epsilon: Weights | undefined;
  private readonly variables: tf.Variable[];
  private readonly originals: tf.Tensor[];
  // Moving averages as the first pass left them.
  private readonly others: tf.Variable[];
  private readonly otherValues: tf.Tensor[];

  constructor(
    grads: tf.NamedTensorMap,
    readonly seed: Rng,
  ) {
    const all = Object.values(tf.engine().registeredVariables);
    this.variables = all.filter(({ name }) => grads[name] != null);
    this.others = all.filter(({ name, trainable }) => grads[name] == null && !trainable);
    this.originals = this.variables.map((variable) => tf.keep(variable.clone()));
    this.otherValues = this.others.map((variable) => tf.keep(variable.clone()));
  }

  get weights(): Weights {
    return Object.fromEntries(this.variables.map(({ name }, i) => [name, this.originals[i]!]));
  }

  moveTo(epsilon: Weights): void {
    if (this.epsilon) tf.dispose(this.epsilon);
    this.epsilon = Object.fromEntries(Object.entries(epsilon).map(([name, e]) => [name, tf.keep(e.clone())]));
    this.variables.forEach((variable, i) =>
      assign(
        variable,
        tf.tidy(() => tf.add(this.originals[i]!, epsilon[variable.name]!)),
      ),
    );
    tf.dispose(epsilon);
  }

  restore(): void {
    this.variables.forEach((variable, i) => assign(variable, this.originals[i]!));
    this.others.forEach((variable, i) => {
      if (!variable.isDisposed && variable.dataId !== this.otherValues[i]!.dataId) variable.assign(this.otherValues[i]!);
    });
    tf.dispose([...this.originals, ...this.otherValues]);
    if (this.epsilon) tf.dispose(this.epsilon);
  }
}

// Takes over the value and frees the handle.
function assign(variable: tf.Variable, value: tf.Tensor): void {
  variable.assign(value);
  value.dispose();
}

function withoutMissing(grads: tf.NamedTensorMap): Weights {
  return Object.fromEntries(Object.entries(grads).filter(([, gradient]) => gradient != null));
}

// Stock dropout draws its seed from Math.random: giving both passes the same stream gives them the same masks.
function withRandom<T>(seed: Rng, fn: () => T): T {
  const random = Math.random;
  const stream = seed.split("pass");
  Math.random = () => stream.uniform();
  try {
    return fn();
  } finally {
    Math.random = random;
  }
}

function collectingKept<T>(fn: () => T): { result: T; kept: tf.Tensor[] } {
  const engine = tf.engine();
  const kept: tf.Tensor[] = [];
  const keep = engine.keep;
  engine.keep = <K extends tf.Tensor>(tensor: K): K => {
    kept.push(tensor);
    return keep.call(engine, tensor) as K;
  };
  try {
    return { result: fn(), kept };
  } finally {
    engine.keep = keep;
  }
}

function explain({ active, rho, epsilonNorm, cosine, samSteps, steps }: Omit<SamDiagnosis, "message">): string {
  if (rho === 0) return "SAM is off: rho = 0, so every step is the base optimizer's.";
  if (samSteps === 0) return steps === 0 ? "No step yet: train first, then ask again." : "No SAM step yet.";
  if (epsilonNorm === 0) return "The gradient was zero, so nothing was perturbed.";
  if (!active)
    return "The gradient did not change over the ascent: the loss is linear there, or rho is below float32's resolution of the weights.";
  return `SAM is active: ‖ε̂‖ = ${epsilonNorm.toPrecision(3)}, cosine of the two gradients ${cosine.toFixed(3)}.`;
}

const KNOWN_OPTIONS = "rho normP normalize adaptive eta ascentSteps ascentStepSize interval freshMasks".split(" ");

function rejectUnknownOptions(options: object): void {
  const unknown = Object.keys(options).filter((name) => !KNOWN_OPTIONS.includes(name));
  if (unknown.length > 0) throw new Error(`unknown SAM option ${unknown.join(", ")}; known are ${KNOWN_OPTIONS.join(", ")}`);
}
