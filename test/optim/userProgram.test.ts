import assert from "node:assert/strict";
import { userProgram } from "../support/userProgram";

describe("a user's own TensorFlow.js program", () => {
  it("trains with SAM by compile and fit", async () => {
    const { losses, message } = await userProgram();

    assert.ok(losses.at(-1)! < 0.5 * losses[0]!, losses.join());
    assert.match(message, /^SAM is active: ‖ε̂‖ = 0\.0500/);
  });
});
