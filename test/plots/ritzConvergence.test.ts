import { ritzConvergence } from "../../src/plots/ritzConvergence";
import { assertRenders } from "../support/figures";

describe("plots/ritzConvergence", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(ritzConvergence({ history: [[2], [1, 3]], eigenvalues: [1, 3], title: "Settled" })));
});
