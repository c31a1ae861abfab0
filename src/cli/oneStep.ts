/** `npm run one-step`: takes one step of every distinct `paper` config on this machine, on random images of the right shape. */
import { Command, Option } from "commander";
import { budgets, catalog, findItem, PaperItem, Budget } from "../paper";
import { makeDataset } from "../data";
import { multiplyAdds } from "../models";
import { countParameters, disposeVariables, ready, Rng, runConfig, train } from "..";
import type { Dataset, Model, RunConfig } from "..";
import { factsOf, type DatasetFacts } from "../experiments/datasets";
import { runModel } from "../experiments/run";
import { runCommand } from "./command";
import { positiveInteger } from "./options";

/** FLOP per step, our choice: tens of seconds on two cores. A SAM step costs six forward passes of two operations per multiply-add. */
const STEP_FLOP = 3e11;

export interface StepReport {
  readonly network: string;
  readonly parameters: number;
  readonly batchSize: number;
  /** Mean of the batch's losses at w and at w + ε̂; without SAM they are the same. */
  readonly loss: number;
  readonly milliseconds: number;
}

/** One config for each kind of step. Seed, rates, augmentation, epochs, the number of classes and data of one shape do not change it. */
export function distinctSteps(items: readonly PaperItem[], budget: Budget): RunConfig[] {
  const configs = items.flatMap((item) => item.plan(budget, []).map(({ config }) => runConfig(config)));
  return [...new Map(configs.map((config) => [stepKey(config), config])).values()];
}

function stepKey({ dataset, model, training, finetune }: RunConfig): string {
  const { rho, m, method, loss, freezeBatchNorm, mixupAlpha, ascentSteps, normP, optimizer } = training;
  const kinds = { m, freezeBatchNorm, ascentSteps, normP, optimizer, sam: rho > 0, mixup: mixupAlpha > 0 };
  return JSON.stringify([factsOf(dataset).shape, dataset.imageSize, model, kinds, method.name, loss.name, finetune?.newHead]);
}

/** A batch size that this machine can take a step with in seconds, at most the config's. Batch statistics need two images. */
export async function reducedBatch({ training }: RunConfig, model: Model): Promise<number> {
  const affordable = Math.floor(STEP_FLOP / (12 * (await multiplyAdds(model))));
  return Math.min(training.batchSize, Math.max(training.freezeBatchNorm ? 1 : 2, affordable));
}

/** The first step of a run, through the training loop itself, on random images. @throws where the loss is not finite */
export async function oneStep(config: RunConfig, batch?: number): Promise<StepReport> {
  const facts = factsOf(config.dataset);
  const model = runModel(config, facts);
  const batchSize = batch ?? (await reducedBatch(config, model));
  const training = { ...config.training, batchSize, m: Math.min(config.training.m, batchSize) };
  const data = { train: randomImages(facts, batchSize), test: randomImages(facts, 2) };
  const stop = new AbortController();
  let loss = NaN;
  const start = process.hrtime.bigint();
  const { variables } = await train(model, data, training, {
    ...{ signal: stop.signal, stopOnInterrupt: false },
    onStep: (step) => {
      loss = step.loss / 2; // their sum, so that one check finds either not finite
      stop.abort();
    },
  });
  disposeVariables(variables);
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
  if (!Number.isFinite(loss)) throw new Error(`${model.name}: the loss is not finite after the first step`);
  return { network: model.name, parameters: countParameters(model), batchSize, loss, milliseconds };
}

function randomImages({ title, shape, numClasses }: DatasetFacts, size: number): Dataset {
  const values = new Rng("one step").array(size * shape[0] * shape[1] * shape[2], "uniform");
  return makeDataset({
    ...{ name: `random images like ${title}`, shape, numClasses },
    images: Uint8Array.from(values, (value) => 256 * value),
    labels: Int32Array.from({ length: size }, (_, i) => i % numClasses),
    mean: shape[2] === 1 ? [0.5] : [0.5, 0.5, 0.5],
    std: shape[2] === 1 ? [0.25] : [0.25, 0.25, 0.25],
  });
}

const program = new Command("npm run one-step --")
  .description(
    "Takes one step of every distinct config of a budget, on random images of the right shape, in batches that fit this machine.",
  )
  .argument("[items...]", `tables and figures: ${catalog.map(({ id }) => id).join(", ")}; default: all`)
  .addOption(new Option("--budget <name>", "budget whose configs are tried").choices([...budgets]).default("paper"))
  .option("--batch <n>", "images per step; default: as many as take seconds on two cores", positiveInteger)
  .addHelpText("after", "\nTables 3 and 10 at budget paper take minutes per step, and EfficientNet-L2 needs 21 GB of memory.")
  .action(main);

async function main(ids: string[], { budget, batch }: { budget: Budget; batch?: number }): Promise<void> {
  await ready();
  const items = ids.length === 0 ? catalog : ids.map(findItem);
  let failed = 0;
  for (const config of distinctSteps(items, budget)) {
    const line = describe(config);
    try {
      const { network, parameters, batchSize, loss, milliseconds } = await oneStep(config, batch);
      console.log(
        `ok      ${network}, ${parameters} parameters; ${line}; batch ${batchSize}, loss ${loss.toFixed(3)}, ${milliseconds.toFixed(0)} ms`,
      );
    } catch (error) {
      failed++;
      console.log(`FAILED  ${line}: ${(error as Error).message}`);
    }
  }
  if (failed > 0) process.exitCode = 1;
}

function describe({ dataset, model, training }: RunConfig): string {
  const { title } = factsOf(dataset);
  const { rho, m, method, loss } = training;
  const side = dataset.imageSize > 0 ? ` at ${dataset.imageSize} pixels` : "";
  const kinds = [
    rho > 0 ? "SAM" : "SGD",
    m > 0 && `m ${m}`,
    method.name !== "standard" && method.name,
    loss.name !== "crossEntropy" && loss.name,
  ];
  return `${model.name} on ${title}${side}, ${kinds.filter(Boolean).join(", ")}`;
}

if (require.main === module) {
  runCommand(() => program.parseAsync());
}
