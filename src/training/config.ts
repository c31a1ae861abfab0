/** The config of one training: its fields, its method, and what they must agree on; checked before anything starts. */
import { z } from "zod";
import { variantConflicts } from "../optim/family";
import { checkSamOptions, secondOrderConflict, type SamOptions } from "../optim/sam";
import { explainIssues } from "./configErrors";
import { DEFAULT_ETA, stepFields } from "./fields";
import { methodConfigSchema, methodConflicts } from "./methods";

// The method has kept its place among the fields: records list them in this order.
const { emaDecay, averageLast, evaluateEvery, trackTraining, ...stepFieldsBefore } = stepFields.shape;
const fields = z.strictObject({
  ...stepFieldsBefore,
  /** Method against wrong labels, in addition to the loss; each one composes with SAM. */
  method: methodConfigSchema.default({ name: "standard" }),
  ...{ emaDecay, averageLast, evaluateEvery, trackTraining },
});

/** The fields, each within its range, and together without contradiction. */
export const trainConfigSchema = fields.superRefine((config, { addIssue }) => {
  const { batchSize, m, normP, ascentStepSize, rho, eta, loss, epochs } = config;
  if (m > batchSize) addIssue(`m = ${m} exceeds batchSize = ${batchSize}`);
  if (loss.name === "truncatedGeneralizedCrossEntropy" && loss.warmupEpochs >= epochs)
    addIssue(`loss.warmupEpochs = ${loss.warmupEpochs}: expected fewer than epochs = ${epochs}, or nothing is truncated`);
  if (config.emaDecay > 0 && config.averageLast > 0)
    addIssue(
      `emaDecay = ${config.emaDecay} and averageLast = ${config.averageLast}: expected one average of the weights, not two`,
    );
  methodConflicts(config.method, config).forEach((conflict) => addIssue(conflict));
  variantConflicts(config.variant, config).forEach((conflict) => addIssue(`variant: ${conflict}`));
  // The default of eta is there whether or not it is used.
  const given = { eta: eta === DEFAULT_ETA ? undefined : eta, ascentStepSize: ascentStepSize || rho };
  const sam = { ...config, ...given, normP: normP === "infinity" ? Infinity : normP };
  try {
    checkSamOptions(sam);
  } catch (error) {
    addIssue((error as Error).message);
  }
  secondOrderConflicts(config, sam).forEach((conflict) => addIssue(`secondOrder = true: ${conflict}`));
});

type Fields = z.output<typeof fields>;

function secondOrderConflicts({ secondOrder, rho, decayInAscent, weightDecay }: Fields, sam: SamOptions): string[] {
  if (!secondOrder) return [];
  const conflict = secondOrderConflict(sam);
  return [
    ...(conflict ? [conflict] : []),
    ...(rho === 0 ? ["rho = 0 has no perturbation whose derivative could be added"] : []),
    ...(!decayInAscent && weightDecay > 0
      ? ["the exact gradient needs weight decay in both gradients, decayInAscent = true"]
      : []),
  ];
}

/** All hyper-parameters of a training, defaults filled in. */
export interface TrainConfig extends Readonly<z.output<typeof trainConfigSchema>> {}

/** A training config as written down: only the number of epochs is required. */
export interface TrainOptions extends Readonly<Omit<z.input<typeof trainConfigSchema>, "epochs">> {
  // A member of its own, or the compiler would print all fields of the schema in place of the interface's name.
  /** Passes over the training set. */
  readonly epochs: number;
}

/**
 * Fills in the defaults.
 * @throws an Error that names every unknown field with the nearest known one, and every value that does not fit
 */
export function trainConfig(options: TrainOptions): TrainConfig {
  const parsed = trainConfigSchema.safeParse(options);
  if (!parsed.success)
    throw new Error(explainIssues(parsed.error, { what: "training config", input: options, schema: trainConfigSchema }));
  return parsed.data;
}
