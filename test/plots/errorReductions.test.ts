import { errorReductions } from "../../src/plots/errorReductions";
import { assertRenders } from "../support/figures";

const dot = { family: "noisy", value: -3, kind: "ours, within the seeds' noise" as const };

describe("plots/errorReductions", () => {
  it("renders without a warning, in the kit's font, with its title", () =>
    assertRenders(
      errorReductions({
        panels: { paper: [{ ...dot, kind: "paper, as drawn" }], ours: [dot] },
        families: { noisy: "Wrong labels" },
        title: "Better",
      }),
    ));
});
