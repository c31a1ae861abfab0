import { dotIntervals } from "../../src/plots/dotIntervals";
import { assertRenders } from "../support/figures";

const rows = ["SGD", "SAM"].map((series) => ({ row: "basic", series, mean: 4, interval: 1 }));

describe("plots/dotIntervals", () => {
  it("renders without a warning, in the kit's font, with its title", () => assertRenders(dotIntervals({ rows, title: "Fewer" })));
});
