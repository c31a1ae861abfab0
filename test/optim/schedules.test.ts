import assert from "node:assert/strict";
import { constant, cosine, scheduleByName, stepDecay } from "../../src/optim";
import { closeTo } from "../support/closeTo";

describe("optim/schedules", () => {
  it("The cosine starts at 1, is ½ half-way, ½(1 + √½) at a quarter, and ends at 0", () => {
    closeTo([0, 50, 25, 100].map((step) => cosine(step, 100)), [1, 0.5, 0.5 * (1 + Math.SQRT1_2), 0], 1e-12); // prettier-ignore
  });

  it("The cosine moves at every step and never rises", () => {
    for (let step = 1; step <= 20; step++) assert.ok(cosine(step, 20) < cosine(step - 1, 20));
  });

  it("The constant schedule is 1 throughout", () => {
    closeTo([0, 7, 100].map((step) => constant(step, 100)), [1, 1, 1], 0); // prettier-ignore
  });

  it("The step schedule drops tenfold at one half and at three quarters", () => {
    const schedule = stepDecay();

    closeTo([0, 49, 50, 74, 75, 99].map((step) => schedule(step, 100)), [1, 1, 0.1, 0.1, 0.01, 0.01], 1e-12); // prettier-ignore
  });

  it("The step schedule takes its own milestones and factor", () => {
    const schedule = stepDecay({ milestones: [0.3, 0.6, 0.8], factor: 0.2 });

    closeTo([0, 29, 30, 60, 80].map((step) => schedule(step, 100)), [1, 1, 0.2, 0.04, 0.008], 1e-12); // prettier-ignore
  });

  it("Schedules have names", () => {
    closeTo([scheduleByName("constant")(90, 100), scheduleByName("cosine")(50, 100), scheduleByName("step")(60, 100)], [1, 0.5, 0.1], 1e-12); // prettier-ignore
  });

  it("An unknown name is refused", () => {
    assert.throws(() => scheduleByName("linear" as never), /schedule = linear: expected constant, cosine or step/);
  });
});
