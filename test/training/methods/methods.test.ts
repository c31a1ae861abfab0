import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { mapWeights, tf } from "../../../src/engine";
import { convNet, type Model } from "../../../src/models";
import {
  methodNames,
  networksOf,
  train,
  updateCost,
  type MethodOptions,
  type TrainCallbacks,
  type TrainOptions,
} from "../../../src/training";
import { runScript } from "../../support/children";
import { expectNoLeakAsync } from "../../support/noLeak";
import { projectCopy } from "../../support/projectCopy";
import { abortAfter, found, noisyImages } from "../../support/trainings";

/** Options for those that need some; the others are tested with their defaults. */
const EXAMPLES: readonly MethodOptions[] = [
  { name: "coTeaching", forgetRate: 0.3, rampEpochs: 2 },
  { name: "mixtureCorrection", warmupEpochs: 1 },
  { name: "mentorMix", burnIn: 0, percentile: 0.5 },
  { name: "pruning", warmupEpochs: 1, pruneEvery: 1, heldOut: 0.25 },
];
const METHODS = methodNames.map((name) => EXAMPLES.find((each) => each.name === name) ?? ({ name } as MethodOptions));

/** With batch norm, momentum, an average, SAM in blocks, and all else that draws. */
function optionsOf(method: MethodOptions): TrainOptions {
  const mixed = method.name === "mixtureCorrection" ? { mixupAlpha: 0.4 } : {};
  const drawn = { rho: 0.1, m: 3, augment: "cutout", labelSmoothing: 0.1, emaDecay: 0.9, trackTraining: true } as const;
  return { epochs: 3, batchSize: 8, ...drawn, ...mixed, method };
}

async function run(method: MethodOptions, callbacks: TrainCallbacks = {}, rest: Partial<TrainOptions> = {}) {
  const model = convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3] });
  return found(await train(model, noisyImages(), { ...optionsOf(method), ...rest }, { stopOnInterrupt: false, ...callbacks }));
}

const DOUBLED = `
import { z } from "zod";
import { tf } from "../../engine";
import { defineMethod } from "./method";

const schema = z.strictObject({ name: z.literal("doubled"), factor: z.number().default(2) });

export const doubled = defineMethod({
  schema,
  create: ({ factor }) => ({
    memory: {},
    losses: (_, __, { loss }) => [() => (logits, targets) => tf.mul(loss(logits, targets), factor)],
  }),
});
`;

const TRAIN_DOUBLED = `
import { syntheticImages } from "./src/data";
import { ready } from "./src/engine";
import { mlp } from "./src/models";
import { train } from "./src/training";

async function main() {
  await ready();
  const data = { train: syntheticImages({ seed: "train", size: 8 }), test: syntheticImages({ seed: "test", size: 8 }) };
  const model = mlp({ inputShape: data.train.shape, numClasses: data.train.numClasses });
  for (const name of ["standard", "doubled"]) {
    const { history } = await train(model, data, { epochs: 1, batchSize: 8, method: { name } as never });
    console.log(history[0]!.trainLoss);
  }
}
void main();
`;

describe("training/methods", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "methods-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("take a file and an entry in the registry when there is a new one", async () => {
    const copy = projectCopy();
    try {
      const methods = path.join(copy, "src/training/methods");
      fs.writeFileSync(path.join(methods, "doubled.ts"), DOUBLED);
      const registry = fs.readFileSync(path.join(methods, "index.ts"), "utf8");
      const entered = registry
        .replace("import { elr }", 'import { doubled } from "./doubled";\nimport { elr }')
        .replace("[standard,", "[standard, doubled,");
      fs.writeFileSync(path.join(methods, "index.ts"), entered);
      fs.writeFileSync(path.join(copy, "new.ts"), TRAIN_DOUBLED);

      const { lines, stderr } = await runScript(path.join(copy, "new.ts"), [], { cwd: copy });

      // Doubling the loss doubles what is reported of the first batch.
      const [standard, doubled] = lines.map(Number);
      assert.ok(Math.abs(doubled! - 2 * standard!) < 1e-5, `${lines.join()} ${stderr}`);
    } finally {
      fs.rmSync(copy, { recursive: true });
    }
  });

  it("cost the gradients of their networks, and a third of one for each pass without", () => {
    const cost = (name: string, gradients: number) => updateCost(METHODS.find((each) => each.name === name) as never, gradients);

    assert.deepEqual([cost("standard", 1), cost("standard", 2), cost("elr", 2)], [1, 2, 2]);
    assert.equal(cost("coTeaching", 1), 2 * (1 + 1 / 3));
    assert.equal(cost("coTeaching", 2), 2 * (2 + 1 / 3));
    assert.equal(cost("mentorMix", 1), 1 + 2 / 3);
  });

  for (const method of METHODS) {
    describe(method.name, () => {
      let whole: Awaited<ReturnType<typeof run>>;
      before(async () => (whole = await run(method)));

      it("gives the same bits for the same config", async () => {
        assert.deepEqual(await run(method), whole);
      });

      // In mid-epoch, at an epoch's end and just after it.
      for (const stops of [[3], [5, 6], [10, 14]])
        it(`stopped after step ${stops.join(" and ")} gives what it would have given, bit for bit`, async () => {
          const checkpoint = path.join(folder, "run.checkpoint");

          for (const step of stops) assert.equal((await run(method, { checkpoint, ...abortAfter(step) })).outcome, "aborted");

          assert.deepEqual(await run(method, { checkpoint }), whole);
        });

      it("is not mistaken for another method by its checkpoint", async () => {
        const checkpoint = path.join(folder, "run.checkpoint");
        const other: MethodOptions = { name: "coTeaching", forgetRate: 0.9 };
        await run(method, { checkpoint, ...abortAfter(2) });

        await expectNoLeakAsync(() => assert.rejects(run(other, { checkpoint }), /run\.checkpoint: belongs to run/));
      });

      it("leaves no tensor behind: whole, stopped, resumed, diverged", async () => {
        const checkpoint = path.join(folder, "run.checkpoint");

        await expectNoLeakAsync(() => run(method));
        await expectNoLeakAsync(() => run(method, { checkpoint, ...abortAfter(7) }));
        await expectNoLeakAsync(() => run(method, { checkpoint }));
        await expectNoLeakAsync(() => run(method, {}, { learningRate: 1e30 }));
      });

      it("has a record that survives JSON, also where it diverges", async () => {
        const diverged = await run(method, {}, { learningRate: 1e30 });

        assert.deepEqual(JSON.parse(JSON.stringify(whole.history)), whole.history);
        assert.deepEqual([diverged.outcome, diverged.metrics], ["diverged", { divergedInEpoch: 1 }]);
      });

      it(`trains ${networksOf(method as never)} network(s)`, () => {
        assert.equal("peerTestErrorRate" in whole.history[0]!, networksOf(method as never) === 2);
      });
    });
  }

  it("a second network that goes astray ends the run as the first would", async () => {
    const model = convNet({ inputShape: [8, 8, 1], numClasses: 3, widths: [3] });
    let starts = 0;
    const init: Model["init"] = (rng) => {
      const { weights, stats } = model.init(rng);
      const factor = ++starts === 2 ? NaN : 1;
      const changed = mapWeights(weights, (w) => tf.mul(w, factor));
      tf.dispose(weights);
      return { weights: changed, stats };
    };
    const broken: Model = { ...model, init };

    const { outcome, metrics } = found(
      await train(broken, noisyImages(), { epochs: 2, batchSize: 8, method: { name: "coTeaching", forgetRate: 0.3 } }),
    );

    assert.deepEqual([outcome, metrics], ["diverged", { divergedInEpoch: 1 }]);
  });

  for (const method of METHODS.filter(({ name }) => name === "elr" || name === "coTeaching"))
    it(`${method.name} in a process that is killed again and again gives the record of the uninterrupted one`, async function () {
      this.timeout(600_000);
      const script = path.join(__dirname, "../../support/killableTraining.ts");
      const training = JSON.stringify({ ...optionsOf(method), epochs: 2 });
      const { lines: whole } = await runScript(script, [path.join(folder, "whole"), training]);
      const checkpoint = path.join(folder, "run.checkpoint");

      for (const strikes of [3, 2]) {
        let steps = 0;
        const onLine = (line: string, child: { kill(signal: string): unknown }) => {
          if (line.startsWith("step") && ++steps === strikes) child.kill("SIGKILL");
        };
        assert.equal((await runScript(script, [checkpoint, training], { onLine: onLine as never })).signal, "SIGKILL");
      }
      const { lines } = await runScript(script, [checkpoint, training]);

      assert.deepEqual(JSON.parse(lines.at(-1)!), JSON.parse(whole.at(-1)!));
      assert.notEqual(lines[0], "step 1", "it should have gone on, not begun again");
    });
});
