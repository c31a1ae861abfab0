import assert from "node:assert/strict";
import { classPoints, renderSvg } from "../../src/plots";

const share = (exercise: string, student: string, value?: number) => ({ exercise, student, share: value });

describe("classPoints", () => {
  it("counts students with all, some and no points, and unread answers, in this order", async () => {
    const rows = [share("A", "anna", 1), share("A", "ben", 0), share("B", "anna", 0.5), share("B", "ben")];

    const spec = classPoints({ rows, title: "class" });

    const { values } = spec.data as { values: { exercise: string; outcome: string; place: number }[] };
    const expected = [
      ["A", "all points", 0],
      ["A", "no points", 2],
      ["B", "some points", 1],
      ["B", "not read yet", 3],
    ];
    assert.deepEqual(
      values.map(({ exercise, outcome, place }) => [exercise, outcome, place]),
      expected,
    );
    assert.match(await renderSvg(spec), /<svg/);
  });

  it("names a row that lacks its exercise", () => {
    assert.throws(() => classPoints({ rows: [{ student: "anna" } as never] }), /rows\[0\] lacks exercise/);
  });
});
