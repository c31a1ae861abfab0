import assert from "node:assert/strict";
import { check, onVerdict, type Verdict } from "../../src/classroom/check";
import { decode, encode } from "../../src/classroom/wire";

/** What `act` reports. */
async function verdicts(act: () => unknown): Promise<Verdict[]> {
  const heard: Verdict[] = [];
  onVerdict((verdict) => heard.push(verdict));
  try {
    await act();
  } finally {
    onVerdict(undefined);
  }
  return heard;
}

const problem = async (act: () => unknown) => (await verdicts(act))[0]!.problem;

describe("check", () => {
  it("accepts numbers within the tolerance, relative above 1", async () => {
    assert.equal(await problem(() => check("", () => 0.1 + 0.2, 0.3)), undefined);
    assert.equal(await problem(() => check("", () => 1000.0005, 1000)), undefined);
    assert.match((await problem(() => check("", () => 0.31, 0.3)))!, /expected 0.3, got 0.31/);
    assert.match((await problem(() => check("", () => NaN, 0)))!, /expected 0, got NaN/);
  });

  it("compares lists entry by entry, typed ones too, and says which entry differs", async () => {
    assert.equal(await problem(() => check<ArrayLike<number>>("", () => Float32Array.of(1, 2), [1, 2])), undefined);
    assert.match((await problem(() => check("", () => [1, 3], [1, 2])))!, /expected 2 at \[1\], got 3/);
    assert.match((await problem(() => check("", () => [1], [1, 2])))!, /expected 2 entries, got 1/);
    assert.match((await problem(() => check<unknown>("", () => undefined, [1, 2])))!, /expected \[1,2\], got undefined/);
  });

  it("compares the expected fields of an object", async () => {
    assert.equal(await problem(() => check<object>("", () => ({ a: 1, more: 2 }), { a: 1 })), undefined);
    assert.match((await problem(() => check("", () => ({ a: { b: 1 } }), { a: { b: 2 } })))!, /expected 2 at \.a\.b, got 1/);
  });

  it("takes a condition in place of a value", async () => {
    assert.equal(
      await problem(() =>
        check(
          "",
          () => 4,
          (value) => value > 3,
        ),
      ),
      undefined,
    );
    assert.match(
      (await problem(() =>
        check(
          "",
          () => 2,
          (value) => value > 3,
        ),
      ))!,
      /got 2/,
    );
    assert.equal(
      await problem(() =>
        check(
          "",
          () => 2,
          () => "too small",
        ),
      ),
      "too small",
    );
  });

  it("reports an error of the code that is checked, and goes on", async () => {
    const fail = (): number => {
      throw new Error("not solved yet");
    };

    const heard = await verdicts(async () => {
      check("a", fail, 1);
      await check("b", async () => fail(), 1);
      check("c", () => 1, 1);
    });

    assert.deepEqual(
      heard.map((verdict) => verdict.problem),
      ['your code stopped with "not solved yet"', 'your code stopped with "not solved yet"', undefined],
    );
  });
});

describe("the wire", () => {
  it("carries numbers, lists and objects unchanged", () => {
    const value = {
      list: [1.5, NaN, -Infinity, -0],
      typed: Float32Array.of(1, 2),
      nothing: undefined,
      text: "ε̂",
      none: null,
      yes: true,
    };

    assert.deepEqual(decode(JSON.parse(JSON.stringify(encode(value)))), value);
  });

  it("carries no function from the student, and no prototype", () => {
    const hostile = JSON.parse(
      '{"t":"object","v":[["__proto__",{"t":"object","v":[["points",9]]}],["then",{"t":"function","v":1}]]}',
    );

    assert.throws(() => decode(hostile), /not in the agreed form/);
    const plain = decode({ t: "object", v: [["__proto__", { t: "object", v: [["points", 9]] }]] }) as { points?: number };
    assert.equal(plain.points, undefined);
  });

  it("refuses a value that contains itself", () => {
    const loop: unknown[] = [];
    loop.push(loop);

    assert.throws(() => encode(loop), /contains itself/);
  });
});
