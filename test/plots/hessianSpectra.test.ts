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

  it("writes λmax and λmax/λ₅ into the spectrum, the paper's in gray below", async () => {
    const labels = textsOf(await renderSvg(spec));

    assert.ok(labels.includes("SAM: λmax = 2.96, λmax/λ₅ = 1.5"));
    assert.ok(labels.includes("paper, SAM: λmax = 18.6, λmax/λ₅ = 1.5"));
  });

  it("draws the methods of an epoch in one panel, with room left of the leftmost tail", () => {
    const [panel, ...more] = spec.vconcat as { layer: { encoding: { x: { scale: { domain: number[] } } } }[] }[];

    // Visible are densities from a millionth of the highest, exp(0) = 1, on: exp(−3λ²) ≥ 1e-6 for |λ| ≤ 2.1, so −1 is the left end.
    assert.equal(more.length, 0);
    assert.ok(panel!.layer[0]!.encoding.x.scale.domain[0]! < -1);
  });
});
