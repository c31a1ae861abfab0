import { learningCurves } from "../../src/plots/learningCurves";
import { assertRenders } from "../support/figures";

const curve = (series: string, panel: string) =>
  [1, 2, 3].map((x) => ({ x, series, panel, mean: 5 - x, style: "test", interval: 0.1 }));

describe("plots/learningCurves", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(
      learningCurves({ rows: [...curve("SAM", "a"), ...curve("SGD", "b")], paper: curve("SAM", "a"), title: "Down" }),
    ));
});
