/**
 * A training to be killed: `node --require tsx/cjs test/support/killableTraining.ts CHECKPOINT [CONFIG as JSON]`. Writes "step" lines as it goes,
 * a checkpoint after each, and in the end one line of JSON with all that it found.
 */
import { createHash } from "node:crypto";
import { ready } from "../../src/engine";
import { convNet } from "../../src/models";
import { train, type TrainOptions } from "../../src/training";
import { tinyImages } from "./training";

async function main(checkpoint: string, training?: string): Promise<void> {
  await ready();
  const model = convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3] });
  const data = { train: tinyImages(40, "train"), test: tinyImages(20, "test") };
  const everything = { epochs: 5, batchSize: 8, rho: 0.1, m: 3, augment: "basic", emaDecay: 0.9, mixupAlpha: 0.5 } as const;
  const config = training === undefined ? everything : (JSON.parse(training) as TrainOptions);
  const { history, metrics, variables, outcome } = await train(model, data, config, {
    ...{ checkpoint, checkpointEvery: 1, prefetch: true },
    onStep: async ({ step }) => {
      process.stdout.write(`step ${step}\n`);
      // Time for the parent to strike.
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
  });
  const hash = createHash("sha256");
  for (const tensor of [...Object.values(variables.weights), ...Object.values(variables.stats)]) hash.update(tensor.dataSync());
  process.stdout.write(`${JSON.stringify({ outcome, history, metrics, weights: hash.digest("hex") })}\n`);
}

void main(process.argv[2]!, process.argv[3]);
