import assert from "node:assert/strict";
import { parseNpy } from "../../src/data/npy";
import { NumpyArray, readPickle, type PickleValue } from "../../src/data/pickle";
import { hostilePickle, npyDict, npyFortran, npyIntegers, pickles } from "./pythonFiles";

const bytes = (base64: string) => Buffer.from(base64, "base64");
const read = (content: Uint8Array) => readPickle(content, { name: "p" }).value as Map<string, PickleValue>;

describe("data/pickle", () => {
  it("Every protocol of Python gives the same values", () => {
    for (const pickle of pickles) {
      const value = read(bytes(pickle));

      const data = value.get("data") as NumpyArray;
      assert.deepEqual([data.shape, data.dtype, data.fortranOrder, [...data.values]], [[2, 3], "|u1", false, [0, 1, 2, 3, 4, 5]]);
      assert.deepEqual(value.get("labels"), [3, 1]);
      assert.deepEqual([value.get("name"), value.get("k"), value.get("f"), value.get("big")], ["x", null, 1.5, 2 ** 40]);
      assert.deepEqual(value.get("t"), [true, false]);
    }
  });

  it("Python 2's strings are bytes", () => {
    // protocol 2: PROTO 2, EMPTY_DICT, SHORT_BINSTRING "data", SHORT_BINSTRING 01 ff, SETITEM, STOP
    const value = read(Buffer.from("\x80\x02}U\x04dataU\x02\x01\xffs.", "latin1"));

    assert.deepEqual([...(value.get("data") as Buffer)], [1, 255]);
  });

  it("A pickle that asks for a function is refused, and nothing runs", () => {
    assert.throws(() => read(bytes(hostilePickle)), /p: not a pickle that this kit reads: it asks for posix.system/);
  });

  it("A pickle cut anywhere is refused", () => {
    const whole = bytes(pickles[2]!);

    for (let length = 0; length < whole.length; length++) assert.throws(() => read(whole.subarray(0, length)), /not a pickle/);
  });

  it("Damage never crashes or hangs the reader: it reads on or refuses", () => {
    const whole = bytes(pickles[4]!);

    for (let at = 0; at < whole.length; at++)
      for (const value of [0, 0x28, 0x52, 0x62, 0xff]) {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        try {
          read(damaged);
        } catch (error) {
          assert.match((error as Error).message, /^p: not a pickle/);
        }
      }
  });

  it("A list that holds itself, and a hundred thousand nested ones, are read", () => {
    const self = readPickle(Buffer.from("\x80\x02]q\x00h\x00a.", "latin1"), { name: "p" }).value as PickleValue[];
    const deep = Buffer.concat([Buffer.alloc(1e5, "]"), Buffer.alloc(1e5 - 1, "a"), Buffer.from(".")]);

    assert.equal(self[0], self);
    assert.ok(Array.isArray(readPickle(deep, { name: "p" }).value));
  });

  it("Nested lists take time in proportion to their length", () => {
    // (((…)))l…l of protocol 0: each l makes a list of what follows its mark
    const nested = Buffer.concat([Buffer.alloc(200_000, "("), Buffer.alloc(200_000, "l"), Buffer.from(".")]);
    const start = process.cpuUsage();

    assert.ok(Array.isArray(readPickle(nested, { name: "p" }).value));

    assert.ok(process.cpuUsage(start).user < 5e6);
  });

  it("A pickle of more steps than real data needs is refused", () => {
    const lists = Buffer.concat([Buffer.alloc(3_000_000, "]"), Buffer.from(".")]);

    assert.throws(() => readPickle(lists, { name: "p" }), /more than the 2097152 steps expected at most/);
  });

  it("A pickle that has one string copied again and again is refused", () => {
    // X: a string of 100 000; 2: once more; _codecs.encode(string, "latin1") makes bytes of it, R after R
    const text = Buffer.alloc(100_005, "x");
    text.write("X");
    text.writeUInt32LE(100_000, 1);
    const encode = Buffer.from("c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R0", "latin1");
    const many = Buffer.concat([text, Buffer.from("q\x00"), ...new Array<Buffer>(1000).fill(encode), Buffer.from(".")]);

    assert.throws(() => readPickle(many, { name: "p" }), /it copies the same data again and again/);
  });
});

describe("data/npy", () => {
  it("Arrays of numbers have their shape, order and values", () => {
    const integers = parseNpy(bytes(npyIntegers), { name: "n" });
    const fortran = parseNpy(bytes(npyFortran), { name: "n" });

    assert.deepEqual([integers.shape, [...integers.values]], [[4], [2, 0, 1, 3]]);
    // big-endian, column by column
    assert.deepEqual([fortran.shape, fortran.fortranOrder, [...fortran.values]], [[2, 2], true, [1, 3, 2, 4]]);
  });

  it("A file of another format, or one cut short, is refused", () => {
    assert.throws(
      () => parseNpy(Buffer.from("PK\x03\x04and more"), { name: "n" }),
      /n: starts with 50 4b 03 04 61 6e, expected 93 4e/,
    );
    assert.throws(() => parseNpy(bytes(npyIntegers).subarray(0, 40), { name: "n" }), /cut short within the header/);
    assert.throws(() => parseNpy(bytes(npyIntegers).subarray(0, 150), { name: "n" }), /n: NumPy array of 22 bytes, expected 32/);
    assert.throws(() => parseNpy(Buffer.concat([bytes(npyDict), Buffer.alloc(3)]), { name: "n" }), /3 bytes follow the pickle/);
  });
});
