/**
 * Curvature of a network's mean loss over a data set, as products with a vector: the Hessian, the Gauss–Newton matrix (Schraudolph
 * 2002) and the empirical Fisher. Batch by batch, each weighted by its size, summed in float64.
 */
import {
  checkOptions,
  gradientOfTensors,
  GraphCache,
  hvpOfTensors,
  innerProduct,
  tf,
  unflattenWeights,
  type OptionKinds,
  type TensorGroups,
  type Weights,
} from "../engine";
import { hvpFiniteDifference, type FiniteDifferenceOptions } from "./hvp";
import { checkOver, LinearOperator, productKinds, ProductOptions, report } from "./operator";
import {
  batchShare,
  checkFixedLoss,
  makeProblem,
  Network,
  Problem,
  ProblemBatch,
  ProblemData,
  problemKinds,
  ProblemOptions,
  useBatch,
} from "./problem";

export interface CurvatureOptions extends ProblemOptions, ProductOptions {
  /**
   * Only parameters whose names match: `*` stands for any characters, `?` for one. Several patterns: any of them. The operator is
   * then a diagonal block, for curvature layer by layer.
   */
  paramFilter?: string | readonly string[];
  /** λ of ½λ‖w‖² over the chosen parameters, which shifts every eigenvalue by λ. Ours: 0, the loss alone. `description` tells it. */
  l2?: number;
}

export interface HessianOptions extends CurvatureOptions, FiniteDifferenceOptions {
  /** Double backward, or central differences of the gradient (see `hvpFiniteDifference`). */
  method?: "exact" | "finite-difference";
}

const curvatureKinds: OptionKinds<CurvatureOptions> = {
  ...problemKinds,
  ...productKinds,
  paramFilter: { types: ["string", "array"] },
  l2: "number",
};

const hessianKinds: OptionKinds<HessianOptions> = {
  ...curvatureKinds,
  method: { values: ["exact", "finite-difference"] },
  step: "number",
};

/** Kinds of curvature matrices. */
export type CurvatureKind = "hessian" | "gauss-newton" | "empirical-fisher";

/** An operator that knows what it is. Memory does not grow with the number of products. */
export interface CurvatureOperator extends LinearOperator {
  readonly kind: CurvatureKind;
  /** One sentence: which matrix, of what loss, with or without L2, over which parameters. */
  readonly description: string;
  /** Parameters, in the order of a vector's entries. */
  readonly names: string[];
  readonly shapes: number[][];
  readonly numExamples: number;
  readonly l2: number;
  matvec(v: Float32Array, run?: { readonly signal?: AbortSignal }): Promise<Float32Array>;
  /** A vector as named tensors, such as an eigenvector to walk along; parameters that are not chosen are left out. */
  toWeights(v: Float32Array): Weights;
}

/**
 * The Hessian of the mean loss over `data`.
 *
 *     const operator = hessianOperator({ model, weights, stats }, dataset, { paramFilter: "block1*" });
 *     const { eigenvalues } = await lanczos(operator, { k: 5, lanczosSteps: 60 });
 *
 * Dropout is off and batch norm uses its moving averages. Before the first product the loss is checked to be one fixed function of
 * the weights. A product costs about two gradients over the data, in float32.
 *
 * @param network a functional model with its weights, or a compiled `tf.LayersModel` (its trainable weights)
 * @throws in the first product, where the loss draws random numbers or couples the examples of a batch
 */
export function hessianOperator(network: Network, data: ProblemData, options: HessianOptions = {}): CurvatureOperator {
  checkOptions(options, hessianKinds, "hessianOperator");
  const { method = "exact", step } = options;
  const product =
    method === "exact" ? hvpOfTensors : (...args: Parameters<typeof hvpOfTensors>) => hvpFiniteDifference(...args, { step });
  const name = method === "exact" ? "exact Hessian" : "Hessian by central differences";
  return curvatureOperator(network, data, options, {
    kind: "hessian",
    name,
    product: (part, v) => product(part.loss, part.weights, v),
  });
}

/**
 * The Gauss–Newton matrix (1/n)Σ JᵢᵀHᵢJᵢ: J the Jacobian of the outputs, H the Hessian of the loss by the outputs. Positive
 * semidefinite for convex losses; for cross-entropy of logits it is the Fisher matrix. A layers model that ends in softmax is split
 * after it, which gives another matrix than a split at the logits.
 */
export function gaussNewtonOperator(network: Network, data: ProblemData, options: CurvatureOptions = {}): CurvatureOperator {
  checkOptions(options, curvatureKinds, "gaussNewtonOperator");
  const product = ({ outputs, outputLoss, weights }: Part, v: tf.Tensor[]) => {
    const jv = jacobianVectorProduct(() => outputs(weights), weights, v);
    const [hjv] = hvpOfTensors(([z]) => outputLoss(z!), [outputs(weights)], [jv]);
    return gradientOfTensors(() => outputs(weights), weights, hjv);
  };
  return curvatureOperator(network, data, options, { kind: "gauss-newton", name: "Gauss–Newton matrix", product });
}

/** The empirical Fisher (1/n)Σ gᵢgᵢᵀ, gᵢ the gradient of example i's loss at its own label. */
export function empiricalFisherOperator(network: Network, data: ProblemData, options: CurvatureOptions = {}): CurvatureOperator {
  checkOptions(options, curvatureKinds, "empiricalFisherOperator");
  const product = ({ exampleLosses, share, weights }: Part, v: tf.Tensor[]) => {
    const slopes = jacobianVectorProduct(() => exampleLosses(weights), weights, v);
    return gradientOfTensors(() => exampleLosses(weights), weights, tf.mul(slopes, share));
  };
  return curvatureOperator(network, data, options, { kind: "empirical-fisher", name: "empirical Fisher matrix", product });
}

/** Jv, by differentiating u ↦ ⟨Jᵀu, v⟩, which is linear in u. */
function jacobianVectorProduct(outputs: () => tf.Tensor, weights: tf.Tensor[], v: tf.Tensor[]): tf.Tensor {
  const like = tf.tidy(() => tf.zerosLike(outputs()));
  const inner = () =>
    innerProduct(
      gradientOfTensors(() => tf.sum(tf.mul(outputs(), like)), weights),
      v,
    );
  const { grads } = tf.engine().gradients(inner, [like], undefined, true);
  return grads[0] ?? like;
}

/** One batch, as functions of the chosen weights. */
interface Part {
  readonly weights: tf.Tensor[];
  /** One example's share of the mean over all data: 1/n. */
  readonly share: number;
  loss(weights: tf.Tensor[]): tf.Scalar;
  outputs(weights: tf.Tensor[]): tf.Tensor;
  outputLoss(outputs: tf.Tensor): tf.Scalar;
  exampleLosses(weights: tf.Tensor[]): tf.Tensor;
}

interface Curvature {
  kind: CurvatureKind;
  name: string;
  product(part: Part, v: tf.Tensor[]): (tf.Tensor | undefined)[];
}

function curvatureOperator(
  network: Network,
  data: ProblemData,
  options: CurvatureOptions,
  curvature: Curvature,
): CurvatureOperator {
  const { paramFilter, l2 = 0 } = options;
  checkOver("l2", l2, 0);
  const problem = makeProblem(network, data, options);
  const names = matchNames(Object.keys(problem.weights), paramFilter);
  const chosen: Weights = Object.fromEntries(names.map((name) => [name, problem.weights[name]!]));
  const size = names.reduce((sum, name) => sum + chosen[name]!.size, 0);
  let checked = false;
  const products = new BatchProducts(problem, chosen, curvature);
  return {
    kind: curvature.kind,
    description: describe(curvature.name, problem, { names, l2 }),
    size,
    names,
    shapes: names.map((name) => chosen[name]!.shape.slice()),
    numExamples: problem.size,
    l2,
    toWeights: (v) => unflattenWeights(v, chosen),
    async matvec(v, { signal } = {}) {
      problem.assertUnchanged();
      if (!checked) checkFixedLoss(problem);
      checked = true;
      return sumOfProducts(problem, chosen, v, { products, l2, run: options, signal });
    },
  };
}

// Parameters times examples, ours: a product of a smaller problem takes less time than recording it.
const LEAST_REPLAYED = 1_000_000;

/** Products with one batch each, replayed as a graph where that pays; a ragged last batch is computed eagerly. */
class BatchProducts {
  // Captures: the weights, and the network's statistics, are as they are for as long as the operator lives.
  private readonly graphs: GraphCache | undefined;

  constructor(
    private readonly problem: Problem,
    private readonly chosen: Weights,
    private readonly curvature: Curvature,
  ) {
    const parameters = Object.values(chosen).reduce((sum, { size }) => sum + size, 0);
    this.graphs = parameters * problem.size < LEAST_REPLAYED ? undefined : new GraphCache({ captures: true });
  }

  /** Products by name; a parameter that the loss is linear in may be missing. The caller owns them. */
  of({ x, y, size }: ProblemBatch, vector: Weights): Weights {
    const productOf = ({ batch, vector }: TensorGroups): TensorGroups => {
      const part = makePart(this.problem, this.chosen, { x: batch!.x!, y: batch!.y!, size });
      const tensors = this.curvature.product(part, Object.values(vector!));
      const found = Object.keys(this.chosen).map((name, i) => [name, tensors[i]] as const);
      return { product: Object.fromEntries(found.filter(([, tensor]) => tensor)) as Weights };
    };
    const inputs = { batch: { x, y }, vector };
    return (this.graphs ? this.graphs.run([], productOf, inputs) : productOf(inputs)).product!;
  }
}

interface SumOptions {
  products: BatchProducts;
  l2: number;
  run: ProductOptions;
  /** Signal of the routine that takes the product, beside the operator's own. */
  signal?: AbortSignal;
}

async function sumOfProducts(
  problem: Problem,
  chosen: Weights,
  v: Float32Array,
  { products, l2, run, signal }: SumOptions,
): Promise<Float32Array> {
  const sum = Float64Array.from(v, (x) => l2 * x);
  const vector = unflattenWeights(v, chosen);
  const add = (batch: ProblemBatch) => addProduct(sum, products.of(batch, vector), chosen);
  let done = 0;
  try {
    for (const batch of problem.batches()) {
      useBatch(batch, add);
      await report(run, (done += batch.size), problem.size); // examples: the caller's own routine counts the products
      signal?.throwIfAborted();
    }
  } finally {
    tf.dispose(vector);
  }
  return Float32Array.from(sum);
}

function addProduct(sum: Float64Array, product: Weights, chosen: Weights): void {
  let offset = 0;
  Object.entries(chosen).forEach(([name, { size }]) => {
    const values = product[name]?.dataSync();
    if (values) for (let n = 0; n < size; n++) sum[offset + n]! += values[n]!;
    offset += size;
  });
}

function makePart(problem: Problem, chosen: Weights, batch: ProblemBatch): Part {
  const names = Object.keys(chosen);
  const at = (list: tf.Tensor[]): Weights => ({
    ...problem.weights,
    ...Object.fromEntries(names.map((name, i) => [name, list[i]!])),
  });
  const outputs = (list: tf.Tensor[]) => problem.outputs(at(list), batch);
  return {
    weights: Object.values(chosen),
    share: 1 / problem.size,
    outputs,
    loss: (list) => batchShare(problem, at(list), batch),
    outputLoss: (z) => tf.mul(tf.mean(problem.losses(z, batch)), batch.size / problem.size),
    exampleLosses: (list) => perExample(problem.losses(outputs(list), batch), batch.size),
  };
}

function perExample(losses: tf.Tensor, size: number): tf.Tensor {
  if (losses.rank === 0 || losses.shape[0] !== size)
    throw new Error(`the loss has shape [${losses.shape}], expected one value for each of ${size} examples`);
  return losses.rank === 1 ? losses : tf.mean(tf.reshape(losses, [size, -1]), 1);
}

function describe(name: string, problem: Problem, { names, l2 }: { names: string[]; l2: number }): string {
  const all = Object.keys(problem.weights).length;
  const which = names.length === all ? `all ${all} parameters` : `${names.length} of ${all} parameters (${names.join(", ")})`;
  const penalty = l2 === 0 ? "without L2" : `with ½·${l2}·‖w‖²`;
  return `${name} of the mean loss over ${problem.size} examples, ${penalty}, by ${which}`;
}

/** Names that match any of the patterns, in the names' order. */
export function matchNames(names: readonly string[], patterns: string | readonly string[] = "*"): string[] {
  const expressions = [patterns].flat().map(globToExpression);
  const matching = names.filter((name) => expressions.some((expression) => expression.test(name)));
  if (matching.length === 0) throw new Error(`paramFilter = ${JSON.stringify(patterns)} matches none of ${names.join(", ")}`);
  return matching;
}

function globToExpression(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$`);
}
