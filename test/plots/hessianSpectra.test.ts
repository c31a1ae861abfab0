import assert from "node:assert/strict";
import { hessianSpectra } from "../../src/plots/hessianSpectra";
import { renderSvg } from "../../src/plots/render";
import { assertRenders, textsOf } from "../support/figures";

const methods = ["SGD", "SAM"];
const spectrum = methods.flatMap((method) =>
  [-1, 0, 1, 2, 3, 4].map((lambda) => ({ epoch: 1, method, lambda, density: Math.exp(-(lambda ** 2) * 3) })),
);
const mark = { epoch: 1, method: "SAM", lambdaMax: 2.96, lambdaMaxOverLambda5: 1.46 };
const spec = hessianSpectra({ rows: spectrum, marks: [mark], paper: [{ ...mark, lambdaMax: 18.6 }], title: "Flat" });

describe("plots/hessianSpectra", () => {
  it("renders without a warning, in the kit's font, with its title", () => assertRenders(spec));

  it("writes λmax and λmax/λ5 into the spectrum, the paper's in gray below", async () => {
    const labels = textsOf(await renderSvg(spec));

    assert.ok(labels.includes("λmax = 2.96, λmax/λ5 = 1.5"));
    assert.ok(labels.includes("paper: λmax = 18.6, λmax/λ5 = 1.5"));
  });
});
