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
import { methodConfigSchema } from "../../../src/training/methods";
import { runScript } from "../../support/children";
import { expectNoLeakAsync } from "../../support/noLeak";
import { abortAfter, found, noisyImages } from "../../support/trainings";

const METHODS: readonly MethodOptions[] = [
  { name: "standard" },
  { name: "elr" },
  { name: "coTeaching", forgetRate: 0.3, rampEpochs: 2 },
  { name: "mixtureCorrection", warmupEpochs: 1 },
  { name: "mentorMix", burnIn: 0, percentile: 0.5 },
];

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

describe("training/methods", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "methods-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("are named alike in the table, in the schema and here", () => {
    assert.deepEqual(methodNames, METHODS.map(({ name }) => name)); // prettier-ignore
    assert.deepEqual(methodConfigSchema.options.map(({ shape }) => shape.name.value), methodNames); // prettier-ignore
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

  for (const method of [METHODS[1]!, METHODS[2]!])
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
