import { memorizationCurves } from "../../src/plots/memorizationCurves";
import { assertRenders } from "../support/figures";

const noisy = [1, 2].map((epoch) => ({ epoch, method: "SAM", measure: "clean test accuracy" as const, mean: 80 }));

describe("plots/memorizationCurves", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(memorizationCurves({ rows: noisy, title: "By heart" })));
});
