/** Figures: every builder renders without a warning, and what it draws stands where the numbers say. */
import assert from "node:assert/strict";
import * as figures from "../../src/plots/figures";
import { renderSvg } from "../../src/plots/render";
import { colorsFor, palette, rampColors, wrapText, type FigureSpec } from "../../src/plots/theme";

const methods = ["SGD", "SAM"];
const rhoRows = [0, 0.05, 0.5].flatMap((rho) =>
  [4, 64].map((series) => ({ rho, series, mean: 10 + rho * series, interval: 0.2 })),
);
const curve = (series: string, panel: string) =>
  [1, 2, 3].map((x) => ({ x, series, panel, mean: 5 - x, style: "test", interval: 0.1 }));
const spectrum = methods.flatMap((method) =>
  [-1, 0, 1, 2, 3, 4].map((lambda) => ({ epoch: 1, method, lambda, density: Math.exp(-(lambda ** 2) * 3) })),
);
const mark = { epoch: 1, method: "SAM", lambdaMax: 2.96, lambdaMaxOverLambda5: 1.46 };
const axis = [-1, -0.5, 0, 0.5, 1];
const bowl = (label: string) => ({
  label,
  alphas: axis,
  betas: axis,
  values: axis.map((b) => axis.map((a) => 0.1 + a * a + b * b)),
});
const noisy = [1, 2].map((epoch) => ({ epoch, method: "SAM", measure: "clean test accuracy" as const, mean: 80 }));
const dot = { family: "noisy", value: -3, kind: "ours, within it" as const };

const specs: Record<string, FigureSpec> = {
  errorVersusRho: figures.errorVersusRho({ rows: rhoRows, paper: rhoRows, title: "Small m is better" }),
  learningCurves: figures.learningCurves({
    rows: [...curve("SAM", "a"), ...curve("SGD", "b")],
    paper: curve("SAM", "a"),
    title: "Down",
  }),
  memorizationCurves: figures.memorizationCurves({ rows: noisy, title: "By heart" }),
  hessianSpectra: figures.hessianSpectra({ rows: spectrum, marks: [mark], paper: [{ ...mark, lambdaMax: 18.6 }], title: "Flat" }),
  errorReductions: figures.errorReductions({
    panels: { paper: [{ ...dot, kind: "paper, as drawn" }], ours: [dot] },
    families: { noisy: "Wrong labels" },
    title: "Better",
  }),
  dotIntervals: figures.dotIntervals({
    rows: methods.map((series) => ({ row: "basic", series, mean: 4, interval: 1 })),
    title: "Fewer",
  }),
  lossSurfaces: figures.lossSurfaces({ surfaces: methods.map(bowl), title: "Wide" }),
  ritzConvergence: figures.ritzConvergence({ history: [[2], [1, 3]], eigenvalues: [1, 3], title: "Settled" }),
  sharpnessProfiles: figures.sharpnessProfiles({
    rows: [0.1, 0.2].map((rho) => ({ rho, worstCase: 3, oneStep: 2, gradientTerm: 1, curvatureTerm: 1, panel: "SAM" })),
    title: "Rises",
  }),
};

/** What a figure says, line by line. */
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]+)</g)].map((match) => match[1]);

describe("figures", () => {
  for (const [name, spec] of Object.entries(specs))
    it(`${name} renders without a warning, in the kit's font, with its title`, async () => {
      const svg = await renderSvg(spec);

      assert.match(svg, /^<svg[^>]+xmlns/);
      assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
      assert.match(svg, /font-family="Inter, /);
      assert.ok(texts(svg).includes((spec.title as { text: string[] }).text[0]));
    });

  it("keep ρ = 0 on the axis beside logarithmic steps", async () => {
    const svg = await renderSvg(figures.errorVersusRho({ rows: rhoRows }));

    for (const label of ["0", "0.05", "0.5"]) assert.ok(texts(svg).includes(label), label);
  });

  it("print ρ below a thousandth as powers of ten", async () => {
    const rows = [1e-6, 1e-4, 1].map((rho) => ({ rho, series: "∞", mean: 4 }));

    const labels = texts(await renderSvg(figures.errorVersusRho({ rows })));

    assert.ok(labels.includes("1e-6") && labels.includes("1e-4") && labels.includes("1"), labels.join(" "));
  });

  it("write λmax and λmax/λ5 into the spectrum, the paper's in gray below", async () => {
    const labels = texts(await renderSvg(specs.hessianSpectra!));

    assert.ok(labels.includes("λmax = 2.96, λmax/λ5 = 1.5"));
    assert.ok(labels.includes("paper: λmax = 18.6, λmax/λ5 = 1.5"));
  });

  it("draw the contours of all surfaces at the same losses", async () => {
    const spec = figures.lossSurfaces({ surfaces: methods.map(bowl), levels: [0.2, 0.5, 1] });
    const svg = await renderSvg(spec);

    // 3 levels × 2 surfaces, all three inside both bowls
    assert.equal([...svg.matchAll(/<path aria-label="loss[^>]*|<path[^>]+stroke-opacity="0.5"/g)].length, 6);
  });

  it("put a minimum off the center where it is: columns along x, rows up y", async () => {
    // Lowest at α = 1 (last column), β = −1 (first row): right and bottom of the plane.
    const values = axis.map((b) => axis.map((a) => 0.1 + (a - 1) ** 2 + (b + 1) ** 2));
    const spec = figures.lossSurfaces({ surfaces: [{ label: "SAM", alphas: axis, betas: axis, values }], levels: [4] });
    const [path] = [...(await renderSvg(spec)).matchAll(/<path[^>]+d="(M[^"]+)"[^>]+stroke-opacity="0.5"/g)].map(
      (match) => match[1],
    );
    const points = [...path!.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map((match) => [Number(match[1]), Number(match[2])]);

    // The region of loss ≥ 4 reaches the left and the top, and stays away from the lower right corner.
    assert.ok(points.some(([x, y]) => x! <= 0 && y! <= 0));
    assert.ok(points.every(([x, y]) => x! < 200 || y! < 200));
  });

  it("draw a ball around its point of the plane, with its step", async () => {
    // On [−1, 1]² of 300 pixels: (0.5, −0.5) is 225 right and 225 down, ρ = 0.2 is 30 pixels, ε = (0, 0.2) goes 30 up.
    const ball = { center: [0.5, -0.5] as const, radius: 0.2, arrow: [0, 0.2] as const, label: "ball" };
    const svg = await renderSvg(
      figures.lossSurfaces({ surfaces: [{ ...bowl("SAM"), balls: [ball] }], axisTitles: ["w₁", "w₂"] }),
    );

    assert.match(svg, /<path transform="translate\(225,225\)" d="M -30 0 A 30 30/);
    assert.match(svg, /<path transform="translate\(225,225\)" d="M 0 0 L 0 -30 L/);
    for (const label of ["ball", "w₁", "w₂"]) assert.ok(texts(svg).includes(label), label);
  });

  it("give SAM and SGD the same colors whatever else is drawn", () => {
    assert.deepEqual(colorsFor(["mixup", "SGD", "SAM"]), [palette.green, palette.vermilion, palette.blue]);
    assert.deepEqual(colorsFor(["sam"]), [palette.blue]);
  });

  it("have a ramp of distinct colors for any number of series", () => {
    for (const count of [1, 2, 5, 9]) assert.equal(new Set(rampColors(count)).size, count);
  });

  it("break titles at spaces, never inside a word", () => {
    assert.deepEqual(wrapText("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
    assert.deepEqual(wrapText("overlongword x", 4), ["overlongword", "x"]);
  });
});
