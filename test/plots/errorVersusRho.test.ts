import assert from "node:assert/strict";
import { errorVersusRho } from "../../src/plots/errorVersusRho";
import { renderSvg } from "../../src/plots/render";
import { assertRenders, textsOf } from "../support/figures";

const rhoRows = [0, 0.05, 0.5].flatMap((rho) =>
  [4, 64].map((series) => ({ rho, series, mean: 10 + rho * series, interval: 0.2 })),
);

describe("plots/errorVersusRho", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(errorVersusRho({ rows: rhoRows, paper: rhoRows, title: "Small m is better" })));

  it("keeps ρ = 0 on the axis beside logarithmic steps", async () => {
    const svg = await renderSvg(errorVersusRho({ rows: rhoRows }));

    for (const label of ["0", "0.05", "0.5"]) assert.ok(textsOf(svg).includes(label), label);
  });

  it("prints ρ below a thousandth as powers of ten", async () => {
    const rows = [1e-6, 1e-4, 1].map((rho) => ({ rho, series: "∞", mean: 4 }));

    const labels = textsOf(await renderSvg(errorVersusRho({ rows })));

    assert.ok(labels.includes("1e-6") && labels.includes("1e-4") && labels.includes("1"), labels.join(" "));
  });
});
