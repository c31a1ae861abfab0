import { sharpnessProfiles } from "../../src/plots/sharpnessProfiles";
import { assertRenders } from "../support/figures";

const rows = [0.1, 0.2].map((rho) => ({ rho, worstCase: 3, oneStep: 2, gradientTerm: 1, curvatureTerm: 1, panel: "SAM" }));

describe("plots/sharpnessProfiles", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(sharpnessProfiles({ rows, title: "Rises" })));
});
