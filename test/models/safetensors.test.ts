import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng, tf } from "../../src/engine";
import {
  loadVariables,
  mlp,
  readSafetensors,
  readSafetensorsMetadata,
  resNetCifar,
  saveVariables,
  writeSafetensors,
} from "../../src/models";
import { expectNoLeak, tidyTests } from "../support/noLeak";

/** The bytes of a safetensors file, made by hand. */
function bytesOf(header: unknown, values: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, values]);
}

// What Python's json and struct write, as `safetensors.numpy.save_file` does, with both of its half-precision types.
const PYTHON = `
import json, struct, sys
tensors = {
    "dense.weight": ("F32", [2, 3], struct.pack("<6f", 1, -2.5, 3, 0.1, 5e-39, -1e38)),
    "double": ("F64", [2], struct.pack("<2d", 0.1, -1e300)),
    "half": ("F16", [5], struct.pack("<5e", 1.5, -0.333, 65504, 6e-8, float("inf"))),
    "brain": ("BF16", [3], b"".join(struct.pack("<f", v)[2:] for v in (1.5, -3.140625, 2.0**100))),
    "num_batches_tracked": ("I64", [], struct.pack("<q", -7)),
    "empty": ("F32", [0, 4], b""),
}
header, data = {"__metadata__": {"format": "pt", "é": "ü"}}, b""
for name, (dtype, shape, raw) in tensors.items():
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
sys.stdout.buffer.write(struct.pack("<Q", len(text)) + text + data)
`;

// What Python reads of a file, in the order of its values.
const READ_BACK = `
import json, struct, sys
raw = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", raw[:8])
header, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
metadata = header.pop("__metadata__", {})
values = lambda e: struct.unpack("<%d%s" % ((e["data_offsets"][1] - e["data_offsets"][0]) // 4, {"F32": "f", "I32": "i"}[e["dtype"]]), data[slice(*e["data_offsets"])])
print(json.dumps([length % 8, metadata, {name: [e["shape"], values(e)] for name, e in header.items()}]))
`;

describe("models/safetensors", () => {
  tidyTests();
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "safetensors-"))));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const place = (name: string) => path.join(folder, name);
  const python = (program: string, ...args: string[]) => execFileSync("python3", ["-c", program, ...args]);

  it("reads what Python wrote: every type that is known, in float32 or int32, and the metadata", () => {
    const bytes = python(PYTHON);

    const tensors = readSafetensors(bytes);

    const values = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, [t.dtype, t.shape, [...t.dataSync()]]]));
    assert.deepEqual(values, {
      "dense.weight": ["float32", [2, 3], [1, -2.5, 3, 0.1, 5e-39, -1e38].map(Math.fround)],
      double: ["float32", [2], [Math.fround(0.1), -Infinity]],
      half: ["float32", [5], [1.5, -0.3330078125, 65504, 2 ** -24, Infinity]], // the nearest halves
      brain: ["float32", [3], [1.5, -3.140625, 2 ** 100]],
      num_batches_tracked: ["int32", [], [-7]],
      empty: ["float32", [0, 4], []],
    });
    assert.deepEqual(readSafetensorsMetadata(bytes), { format: "pt", é: "ü" });
  });

  it("writes what Python reads: the same names, shapes, values and metadata, the values aligned to 8 bytes", () => {
    const file = place("out.safetensors");

    writeSafetensors(file, { "weights/a": tf.tensor2d([[1, 2.5], [-3, 4]]), "stats/b": tf.tensor1d([7], "int32"), "": tf.scalar(0.5) }, { model: "WRN" }); // prettier-ignore

    assert.deepEqual(JSON.parse(python(READ_BACK, file).toString()), [
      0,
      { model: "WRN" },
      {
        "weights/a": [
          [2, 2],
          [1, 2.5, -3, 4],
        ],
        "stats/b": [[1], [7]],
        "": [[], [0.5]],
      },
    ]);
  });

  it("names each tensor by its part and its place in the network", () => {
    const model = resNetCifar({ depth: 8, width: 2, numClasses: 3 });
    saveVariables(place("names"), model.init(new Rng(0)));

    const names = Object.keys(readSafetensors(place("names")));

    for (const name of ["weights/stem/conv/kernel", "weights/group2/block0/2/norm/scale", "stats/stem/norm/variance", "weights/head/bias"])
      assert.ok(names.includes(name), name); // prettier-ignore
  });

  it("refuses variables of another network, and says what is missing, unknown and of another shape", () => {
    const [small, wide] = [mlp({ inputShape: [2, 2, 1], numClasses: 2, hidden: [3] }), mlp({ inputShape: [2, 2, 1], numClasses: 2, hidden: [4] })]; // prettier-ignore
    const variables = small.init(new Rng(0));
    saveVariables(place("small"), variables);
    const { "head/bias": bias, ...rest } = variables.weights;
    saveVariables(place("odd"), { weights: { ...rest, more: bias! }, stats: {} });

    expectNoLeak(() => {
      assert.throws(
        () => loadVariables(place("small"), wide),
        /small: not the variables of MLP-4: other shapes: weights\/dense0\/kernel is \[4, 3\], expected \[4, 4\], /,
      );
      assert.throws(() => loadVariables(place("odd"), small), /missing weights\/head\/bias; unknown weights\/more/);
    });
  });

  describe("refuses", () => {
    const good = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
    const eight = new Uint8Array(8);
    const cases: [string, Buffer, RegExp][] = [
      ["an empty file", Buffer.alloc(0), /0 bytes, expected at least the 8 of a header's length/],
      ["a header said to be huge", Buffer.alloc(20, 255), /a header of \d+ bytes, expected at most 100000000: not safetensors\?/],
      ["a header cut short", bytesOf({ a: good }).subarray(0, 20), /the header ends at byte \d+, but the file has 20: it is cut short/],
      ["a header that is not JSON", bytesOf("{]"), /the header is not JSON/],
      ["a header that is not an object", bytesOf([1]), /the header is not a JSON object/],
      ["metadata that is not strings", bytesOf({ __metadata__: { a: 1 } }), /__metadata__ is not an object of strings/],
      ["an entry that is not an object", bytesOf({ a: 3 }), /tensor "a": its entry is not an object/],
      ["an unknown type", bytesOf({ a: { ...good, dtype: "F8_E4M3" } }, eight), /tensor "a": dtype "F8_E4M3", expected one of F64, F32,/],
      ["a type that is a property of every object", bytesOf({ a: { ...good, dtype: "toString" } }, eight), /dtype "toString"/],
      ["a negative shape", bytesOf({ a: { ...good, shape: [-2] } }, eight), /shape \[-2\], expected whole numbers/],
      ["three offsets", bytesOf({ a: { ...good, data_offsets: [0, 8, 8] } }, eight), /data_offsets \[0,8,8\], expected two/],
      ["a size that is not the shape's", bytesOf({ a: { ...good, shape: [3] } }, eight), /8 bytes, expected 12 for F32 of shape \[3\]/],
      ["a shape of more numbers than there are", bytesOf({ a: { ...good, shape: [2 ** 40, 2 ** 40] } }, eight), /8 bytes, expected/],
      ["a hole", bytesOf({ a: { ...good, data_offsets: [8, 16] } }, Buffer.alloc(16)), /tensor "a" begins at byte 8 of the values, expected 0/],
      ["two tensors in one place", bytesOf({ a: good, b: good }, eight), /tensor "b" begins at byte 0 of the values, expected 8/],
      ["values cut short", bytesOf({ a: good }, eight.subarray(1)), /7 bytes of values, expected 8/],
      ["bytes after the end", bytesOf({ a: good }, Buffer.alloc(9)), /9 bytes of values, expected 8/],
      ["a tensor after a good one", bytesOf(`{"__proto__":${JSON.stringify(good)},"b":{}}`, eight), /tensor "b": dtype undefined/],
      ["an integer that int32 has not", bytesOf({ a: { ...good, dtype: "I64", shape: [1] } }, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])), /tensor "a": 4294967296 does not fit an int32/],
    ]; // prettier-ignore
    for (const [name, bytes, message] of cases)
      it(name, () => {
        fs.writeFileSync(place("bad"), bytes);

        expectNoLeak(() => {
          assert.throws(() => readSafetensors(bytes), message);
          assert.throws(() => readSafetensors(place("bad")), new RegExp(`bad: .*${message.source}`));
        });
      });

    it("a file that is not there", () => {
      assert.throws(() => readSafetensors(place("nowhere")), /nowhere: no such file/);
    });

    it("to write other types, or a tensor with the name of the metadata", () => {
      assert.throws(
        () => writeSafetensors(place("x"), { a: tf.tensor1d([true]) }),
        /tensor "a" is bool, expected float32 or int32/,
      );
      assert.throws(() => writeSafetensors(place("x"), { __metadata__: tf.scalar(1) }), /cannot be named __metadata__/);
      assert.ok(!fs.existsSync(place("x")));
    });
  });

  it("leaves an earlier file whole where a new one cannot be written, and nothing beside it", () => {
    const file = place("kept/a.safetensors");
    writeSafetensors(file, { a: tf.scalar(1) });
    const gone = tf.scalar(2);
    gone.dispose();

    assert.throws(() => writeSafetensors(file, { a: gone }), /a\.safetensors: cannot be written: .*disposed/);

    assert.equal(readSafetensors(file).a!.dataSync()[0], 1);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ["a.safetensors"]);
  });
});
