/** Losses by name: { name, ...options } in a config. A new loss is one line in each of the two tables. */
import { z } from "zod";
import { checkTransitionMatrix } from "../data/labelNoise";
import { checkOptions, showValue, suggestName, type tf } from "../engine";
import { bootstrappingDefaults, hardBootstrapping, softBootstrapping } from "./bootstrapping";
import { crossEntropy } from "./crossEntropy";
import { gceDefaults, generalizedCrossEntropy, truncatedGeneralizedCrossEntropy } from "./generalizedCrossEntropy";
import { backwardCorrection, forwardCorrection, invertTransition } from "./lossCorrection";
import { sceDefaults, symmetricCrossEntropy } from "./symmetricCrossEntropy";

/** (n, numClasses) logits and targets to (n) losses. */
export type Loss = (logits: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor1D;

const share = z.number().min(0).max(1);
const factor = z.number().min(0).finite();
const positiveShare = z.number().gt(0).lt(1);
const q = share.default(gceDefaults.q);
// "known" is the matrix of the run's own noise, "estimated" the one that a first network finds. A run replaces the word by the matrix.
const matrixThat = (check: (matrix: number[][]) => void) =>
  z.union([z.array(z.array(z.number())), z.enum(["known", "estimated"])]).superRefine((matrix, { addIssue }) => {
    if (typeof matrix === "string") return;
    try {
      check(matrix);
    } catch (error) {
      addIssue((error as Error).message);
    }
  });

/** Losses as a config writes them. The source of each default is with the function. */
export const lossConfigSchema = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("crossEntropy") }),
  z.strictObject({ name: z.literal("generalizedCrossEntropy"), q }),
  z.strictObject({
    name: z.literal("truncatedGeneralizedCrossEntropy"),
    q,
    threshold: positiveShare.default(gceDefaults.threshold),
    /** Epochs before the truncation sets in. */
    warmupEpochs: z.int().min(0).default(40), // the authors' schedule for CIFAR-10
  }),
  z.strictObject({
    name: z.literal("symmetricCrossEntropy"),
    alpha: factor.default(sceDefaults.alpha),
    beta: factor.default(sceDefaults.beta),
    logZero: z.number().lt(0).finite().default(sceDefaults.logZero),
  }),
  z.strictObject({ name: z.literal("softBootstrapping"), beta: share.default(bootstrappingDefaults.soft) }),
  z.strictObject({ name: z.literal("hardBootstrapping"), beta: share.default(bootstrappingDefaults.hard) }),
  z.strictObject({ name: z.literal("forwardCorrection"), transitionMatrix: matrixThat(checkTransitionMatrix) }),
  z.strictObject({ name: z.literal("backwardCorrection"), transitionMatrix: matrixThat(invertTransition) }),
]);

/** A loss with all its options. */
export type LossConfig = z.output<typeof lossConfigSchema>;

/** A loss as a user writes it; omitted options have their defaults. */
export type LossOptions = z.input<typeof lossConfigSchema>;

/** What a loss by name may depend on beside its options. */
export interface LossContext {
  /** The next epoch, from 1. Default: after every warm-up. */
  readonly epoch?: number;
}

type Named<Name extends LossConfig["name"]> = Extract<LossConfig, { name: Name }>;
type Table = { readonly [Name in LossConfig["name"]]: (config: Named<Name>, context: Required<LossContext>) => Loss };

const table: Table = {
  crossEntropy: () => (z, t) => crossEntropy(z, t),
  generalizedCrossEntropy:
    ({ q }) =>
    (z, t) =>
      generalizedCrossEntropy(z, t, { q }),
  truncatedGeneralizedCrossEntropy: ({ q, threshold, warmupEpochs }, { epoch }) => {
    if (epoch <= warmupEpochs) return (z, t) => generalizedCrossEntropy(z, t, { q });
    return (z, t) => truncatedGeneralizedCrossEntropy(z, t, { q, threshold });
  },
  symmetricCrossEntropy: ({ name: _, ...options }) => (z, t) => symmetricCrossEntropy(z, t, options), // prettier-ignore
  softBootstrapping: ({ beta }) => (z, t) => softBootstrapping(z, t, { beta }), // prettier-ignore
  hardBootstrapping: ({ beta }) => (z, t) => hardBootstrapping(z, t, { beta }), // prettier-ignore
  forwardCorrection: ({ transitionMatrix }) => {
    const matrix = matrixItself(transitionMatrix);
    return (z, t) => forwardCorrection(z, t, { transitionMatrix: matrix });
  },
  backwardCorrection: ({ transitionMatrix }) => {
    const matrix = matrixItself(transitionMatrix);
    return (z, t) => backwardCorrection(z, t, { transitionMatrix: matrix });
  },
};

function matrixItself(matrix: number[][] | "known" | "estimated"): number[][] {
  if (typeof matrix !== "string") return matrix;
  const who = matrix === "known" ? "a run whose config has noise" : "trainWithEstimatedTransition, or a run,";
  throw new Error(`transitionMatrix = "${matrix}": expected the matrix itself; ${who} replaces the word by it`);
}

/** Names that `lossByName` knows. */
export const lossNames = Object.keys(table) as readonly LossConfig["name"][];

/**
 * The loss that a config names.
 * @throws if the name or an option is unknown, or a value does not fit
 */
export function lossByName(options: LossOptions, { epoch = Infinity }: LossContext = {}): Loss {
  checkNames(options);
  const parsed = lossConfigSchema.safeParse(options);
  if (!parsed.success) throw new Error(`loss ${JSON.stringify(options)}: ${z.prettifyError(parsed.error)}`);
  const make = table[parsed.data.name] as (config: LossConfig, context: Required<LossContext>) => Loss;
  return make(parsed.data, { epoch });
}

// zod reports an unknown name, but does not suggest one.
function checkNames(options: LossOptions): void {
  const name: unknown = options?.name;
  if (typeof name !== "string") throw new Error(`loss ${showValue(options)}: expected a name, one of ${lossNames.join(", ")}`);
  const schema = lossConfigSchema.options.find(({ shape }) => shape.name.value === name);
  if (!schema) throw new Error(`loss ${showValue(options)}: unknown name "${name}"${suggestName(name, lossNames)}`);
  const kinds = Object.fromEntries(Object.keys(schema.shape).map((option) => [option, "any" as const]));
  checkOptions<object>(options, kinds, `loss "${name}"`);
}
