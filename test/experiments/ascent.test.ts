import assert from "node:assert/strict";
import { ascentsOf } from "../../src/experiments/ascent";
import { runConfig, runKey } from "../../src/experiments/config";
import { runRecord } from "../../src/experiments/run";
import { expectNoLeakAsync } from "../support/noLeak";
import { tinyRun } from "../support/records";

const sam = { rho: 0.1 };

describe("experiments/ascent", () => {
  it("is measured after the epochs that are asked for, without a change to the training", async () => {
    const plain = await runRecord(tinyRun(sam));
    const record = await runRecord(tinyRun(sam, { ascent: { epochs: [2], batches: 3, ascentSteps: [1, 3], cosine: true } }));
    const [measured, ...others] = ascentsOf(record);

    assert.equal(others.length, 0);
    assert.deepEqual([measured!.epoch, measured!.step], [2, 8]); // 64 images in batches of 16
    assert.deepEqual(measured!.found.map(({ ascentSteps }) => ascentSteps), [1, 3]); // prettier-ignore
    // Three batches of 16 images: errors are multiples of 1/48, as printed with six digits
    for (const rate of [measured!.errorRate, ...measured!.found.map(({ errorRate }) => errorRate)]) {
      assert.ok(Math.abs(rate * 48 - Math.round(rate * 48)) < 1e-3, String(rate));
    }
    assert.ok(measured!.cosine! <= 1 && measured!.cosine! > 0.5);
    assert.deepEqual(record.metrics, plain.metrics);
    assert.deepEqual(ascentsOf(plain), []);
  });

  it("takes the training's own number of ascent steps where none is named", async () => {
    const [measured] = ascentsOf(await runRecord(tinyRun({ ...sam, ascentSteps: 2 }, { ascent: { epochs: [1] } })));

    assert.deepEqual(measured!.found.map(({ ascentSteps }) => ascentSteps), [2]); // prettier-ignore
    assert.equal(measured!.cosine, undefined);
  });

  it("is part of the key, each of its fields from its default on", () => {
    const key = (ascent?: object) => runKey(tinyRun(sam, ascent && { ascent: { epochs: [1], ...ascent } }));

    assert.notEqual(key({}), key());
    assert.equal(key({ cosine: false }), key({}));
    assert.notEqual(key({ cosine: true }), key({}));
  });

  for (const [training, ascent, message] of [
    [{}, {}, "training.rho = 0 has no ascent"],
    [{ ...sam, normP: 3 }, { ascentSteps: [2] }, "ascentSteps = 2: several ascent steps need normP = 2 or Infinity"],
    [{ ...sam, ascentSteps: 2 }, { cosine: true }, "cosine = true: the second-order term is defined for"],
    [{ ...sam, method: { name: "elr" } }, {}, 'training.method.name = "elr": expected "standard"'],
  ] as const)
    it(`is refused where it is not defined: ${message}`, () => {
      const options = tinyRun(training, { ascent: { epochs: [1], ...ascent, ascentSteps: [...("ascentSteps" in ascent ? ascent.ascentSteps : [])] } }); // prettier-ignore

      assert.throws(() => runConfig(options), (error: Error) => error.message.includes(`run config: ascent: ${message}`)); // prettier-ignore
    });

  it("leaves no tensor behind, also when it is stopped", async () => {
    const stop = new AbortController();
    const config = tinyRun(sam, { ascent: { epochs: [1], batches: 2 } });

    await expectNoLeakAsync(async () => void (await runRecord(config)));
    await expectNoLeakAsync(() =>
      assert.rejects(
        runRecord(config, {
          signal: stop.signal,
          onStep: ({ step }) => (step === 4 ? void setImmediate(() => stop.abort()) : undefined),
        }),
        /was stopped before its end/,
      ),
    );
  });
});
