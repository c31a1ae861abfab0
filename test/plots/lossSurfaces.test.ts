import assert from "node:assert/strict";
import { lossSurfaces } from "../../src/plots/lossSurfaces";
import { renderSvg } from "../../src/plots/render";
import { assertRenders, textsOf } from "../support/figures";

const methods = ["SGD", "SAM"];
const axis = [-1, -0.5, 0, 0.5, 1];
const bowl = (label: string) => ({
  label,
  alphas: axis,
  betas: axis,
  values: axis.map((b) => axis.map((a) => 0.1 + a * a + b * b)),
});

describe("plots/lossSurfaces", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(lossSurfaces({ surfaces: methods.map(bowl), title: "Wide" })));

  it("draws the contours of all surfaces at the same losses", async () => {
    const spec = lossSurfaces({ surfaces: methods.map(bowl), levels: [0.2, 0.5, 1] });
    const svg = await renderSvg(spec);

    // 3 levels × 2 surfaces, all three inside both bowls
    assert.equal([...svg.matchAll(/<path aria-label="loss[^>]*|<path[^>]+stroke-opacity="0.5"/g)].length, 6);
  });

  it("puts a minimum off the center where it is: columns along x, rows up y", async () => {
    // Lowest at α = 1 (last column), β = −1 (first row): right and bottom of the plane.
    const values = axis.map((b) => axis.map((a) => 0.1 + (a - 1) ** 2 + (b + 1) ** 2));
    const spec = lossSurfaces({ surfaces: [{ label: "SAM", alphas: axis, betas: axis, values }], levels: [4] });
    const [path] = [...(await renderSvg(spec)).matchAll(/<path[^>]+d="(M[^"]+)"[^>]+stroke-opacity="0.5"/g)].map(
      (match) => match[1],
    );
    const points = [...path!.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map((match) => [Number(match[1]), Number(match[2])]);

    // The region of loss ≥ 4 reaches the left and the top, and stays away from the lower right corner.
    assert.ok(points.some(([x, y]) => x! <= 0 && y! <= 0));
    assert.ok(points.every(([x, y]) => x! < 200 || y! < 200));
  });

  it("draws a ball around its point of the plane, with its step", async () => {
    // On [−1, 1]² of 280 pixels: (0.5, −0.5) is 210 right and 210 down, ρ = 0.2 is 28 pixels, ε = (0, 0.2) goes 28 up.
    const ball = { center: [0.5, -0.5] as const, radius: 0.2, arrow: [0, 0.2] as const, label: "ball" };
    const svg = await renderSvg(lossSurfaces({ surfaces: [{ ...bowl("SAM"), balls: [ball] }], axisTitles: ["w₁", "w₂"] }));

    assert.match(svg, /<path transform="translate\(210,210\)" d="M -28 0 A 28 28/);
    assert.match(svg, /<path transform="translate\(210,210\)" d="M 0 0 L 0 -28 L/);
    for (const label of ["ball", "w₁", "w₂"]) assert.ok(textsOf(svg).includes(label), label);
  });

  it("names a surface whose values do not match its coordinates", () => {
    const cut = { ...bowl("SAM"), values: bowl("SAM").values.slice(1) };

    assert.throws(() => lossSurfaces({ surfaces: [cut] }), /lossSurfaces: the values of "SAM" are 4 × 5, expected 5 × 5/);
  });
});
