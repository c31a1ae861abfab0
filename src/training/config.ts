/** The config of one training: its fields, its method, and what they must agree on; checked before anything starts. */
import { z } from "zod";
import { checkSamOptions } from "../optim/sam";
import { explainIssues } from "./configErrors";
import { stepFields } from "./fields";
import { methodConfigSchema, methodConflicts } from "./methods";

// The method has kept its place among the fields: records list them in this order.
const { emaDecay, evaluateEvery, trackTraining, ...stepFieldsBefore } = stepFields.shape;
const fields = z.strictObject({
  ...stepFieldsBefore,
  /** What is done against wrong labels beside the loss; each method composes with SAM. */
  method: methodConfigSchema.default({ name: "standard" }),
  ...{ emaDecay, evaluateEvery, trackTraining },
});

/** The fields, each within its range, and together without contradiction. */
export const trainConfigSchema = fields.superRefine((config, { addIssue }) => {
  const { batchSize, m, normP, ascentStepSize, rho, loss, epochs } = config;
  if (m > batchSize) addIssue(`m = ${m} exceeds batchSize = ${batchSize}`);
  if (loss.name === "truncatedGeneralizedCrossEntropy" && loss.warmupEpochs >= epochs)
    addIssue(`loss.warmupEpochs = ${loss.warmupEpochs}: expected fewer than epochs = ${epochs}, or nothing is truncated`);
  methodConflicts(config.method, config).forEach((conflict) => addIssue(conflict));
  try {
    checkSamOptions({ ...config, normP: normP === "infinity" ? Infinity : normP, ascentStepSize: ascentStepSize || rho });
  } catch (error) {
    addIssue((error as Error).message);
  }
});

/** All hyper-parameters of a training, defaults filled in. */
export interface TrainConfig extends Readonly<z.output<typeof trainConfigSchema>> {}

/** What has to be given: the number of epochs; the rest has defaults. */
export interface TrainOptions extends Readonly<z.input<typeof trainConfigSchema>> {}

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
