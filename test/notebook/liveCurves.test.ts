/** One display of a cell that is updated while a training runs, and what it shows in the end. */
import assert from "node:assert/strict";
import { liveCurves, type CellDisplay } from "../../src/notebook";
import { trainingCurves } from "../../src/notebook/liveCurves";
import { train } from "../../src/training";
import { expectNoLeakAsync } from "../support/noLeak";
import { found, noisyImages, tinyMlp } from "../support/trainings";

/** What a display has shown, oldest first. */
function shown(): { display: CellDisplay; texts: string[] } {
  const texts: string[] = [];
  const show = (text: string) => void texts.push(text);
  return { texts, display: { svg: show, markdown: show } };
}

const options = { epochs: 3, batchSize: 8, rho: 0.05 };

describe("notebook/liveCurves", () => {
  it("leaves one picture of all epochs, with the last test error as its title", async () => {
    const { display, texts } = shown();

    const { history } = found(await train(tinyMlp(), noisyImages(), options, liveCurves({ display })));

    const last = texts.at(-1)!;
    assert.match(last, /^<svg/);
    assert.ok(last.includes(`3 epochs: test error ${(100 * history.at(-1)!.testErrorRate!).toFixed(1)} %`));
  });

  it("changes no number of the training and leaks no tensor", async () => {
    const plain = found(await train(tinyMlp(), noisyImages(), options));

    const watched = async () => {
      assert.deepEqual(found(await train(tinyMlp(), noisyImages(), options, liveCurves({ display: shown().display }))), plain);
    };

    await expectNoLeakAsync(watched);
  });

  it("draws at most once a second, however many epochs there are", async () => {
    const { display, texts } = shown();
    const begun = Date.now();

    found(await train(tinyMlp(), noisyImages(), { ...options, epochs: 40 }, liveCurves({ display })));

    assert.ok(texts.length <= 2 + (Date.now() - begun) / 1000, `${texts.length} displays`);
  });

  it("says after how many epochs a training was stopped", async () => {
    const { display, texts } = shown();
    const stop = new AbortController();
    const onEpoch = ({ epoch }: { epoch: number }) => void (epoch === 2 && stop.abort());

    const { onEnd } = liveCurves({ display });
    found(await train(tinyMlp(), noisyImages(), options, { onEpoch, onEnd, signal: stop.signal }));

    assert.match(texts.at(-1)!, /Stopped after 2 epochs: test error/);
  });

  it("draws the caller's measures in panels of their own, and SAM's perturbed loss beside the loss", () => {
    const epochs = [1, 2].map((epoch) => ({ epoch, trainLoss: 1, perturbedLoss: 2, measures: { lambdaMax: 3, name: "x" } }));

    const { hconcat } = trainingCurves(epochs, "A title") as unknown as {
      hconcat: { title: { text: string }; data: { values: object[] } }[];
    };

    assert.deepEqual(
      hconcat.map(({ title, data }) => [title.text, data.values.length]),
      [
        ["loss", 4],
        ["lambdaMax", 2],
      ],
    );
  });

  it("has no callbacks outside of notebooks", () => {
    assert.deepEqual(liveCurves(), {});
  });
});
