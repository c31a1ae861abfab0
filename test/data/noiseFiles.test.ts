import assert from "node:assert/strict";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { labelsSha256, loadNoise, noisyLabelsFromCsv, readNoisyLabelsCsv, saveNoise, symmetricNoise } from "../../src/data";
import { temporaryFolder } from "./support";

const labels = [0, 1, 2, 0];
const fromCsv = (text: string) => noisyLabelsFromCsv(text, { labels, numClasses: 3 });

describe("data/noiseFiles", () => {
  const folder = temporaryFolder();
  const noise = symmetricNoise(
    Array.from({ length: 100 }, (_, i) => i % 10),
    { noiseRate: 0.4, numClasses: 10, seed: "a" },
  );

  it("Saved noise is read back unchanged", async () => {
    await saveNoise(folder.path("deep/noise.json"), noise);

    assert.deepEqual(await loadNoise(folder.path("deep/noise.json"), { labels: noise.cleanLabels }), noise);
    assert.deepEqual(await readdir(folder.path("deep")), ["noise.json"]);
  });

  it("The checksum is that of little-endian 32-bit integers", () => {
    // python3 -c 'import hashlib, struct; print(hashlib.sha256(struct.pack("<3i", 1, 2, 300)).hexdigest())'
    assert.equal(labelsSha256([1, 2, 300]), "ec23a88fb0aa4b38d5442523720f6576ba6310212cb39a86e9b71f42741f74f8");
  });

  it("An altered, torn or foreign file is refused", async () => {
    await saveNoise(folder.path("n.json"), noise);
    const text = await readFile(folder.path("n.json"), "utf8");
    const altered = JSON.parse(text);
    altered.noisyLabels[0] = (altered.noisyLabels[0] + 1) % 10;

    const refused = async (content: string, message: RegExp) =>
      assert.rejects(loadNoise(await folder.write("bad.json", content)), message);
    await refused(JSON.stringify(altered), /the noisy labels' SHA-256 is .* expected .*: the file was altered/);
    await refused(text.slice(0, 50), /bad.json: not JSON/);
    await refused(
      JSON.stringify({ ...altered, numClasses: 20000 }),
      /bad.json: numClasses = 20000: expected an integer from 2 to/,
    );
    await refused(JSON.stringify({ ...altered, noiseRate: "much" }), /bad.json: noiseRate = "much": expected a number from 0/);
    await refused(JSON.stringify({ ...altered, seed: {} }), /bad.json: seed = \{\}: expected a number or a string/);
    await refused("null", /format is undefined, expected "sharpness-lab noisy labels/);
    await refused(JSON.stringify({ ...altered, noisyLabels: "0" }), /expected noiseType, numClasses and the arrays/);
    await refused(JSON.stringify({ ...altered, noisyLabels: [] }), /bad.json: 0 noisy labels, expected 100/);
    await assert.rejects(loadNoise(folder.path("none.json")), /none.json: no such file/);
  });

  it("Noise for another data set is refused", async () => {
    await saveNoise(folder.path("n.json"), noise);

    await assert.rejects(
      loadNoise(folder.path("n.json"), { labels: [0, 1] }),
      /is about 100 other clean labels than the 2 given/,
    );
  });

  it("A file that cannot be written is one clear error, and nothing half-written stays", async () => {
    await mkdir(folder.path("taken/noise.json"), { recursive: true });

    await assert.rejects(saveNoise(folder.path("taken/noise.json"), noise), /Cannot write .*noise.json/);
    assert.deepEqual(await readdir(folder.path("taken")), ["noise.json"]);
  });

  it("A CSV of index and label is read in any order, with or without a heading", async () => {
    const expected = [0, 2, 2, 1];

    assert.deepEqual(fromCsv("0,0\n1,2\n2,2\n3,1\n").noisyLabels, expected);
    assert.deepEqual(fromCsv("index,label\r\n3,1\r\n1,2\r\n0,0\r\n2,2").noisyLabels, expected);
    assert.deepEqual(fromCsv("\uFEFFlabel, index\n1, 3\n2, 1\n0, 0\n2, 2\n\n").noisyLabels, expected);
    const read = await readNoisyLabelsCsv(await folder.write("l.csv", "0,0\n1,2\n2,2\n3,1"), { labels, numClasses: 3 });
    assert.deepEqual(read.flipped, [false, true, false, true]);
    const dataset = { name: "images", labels, numClasses: 3 };
    await assert.rejects(readNoisyLabelsCsv(await folder.write("short.csv", "0,0"), dataset), /short\.csv: 1 labels, expected 4/);
  });

  it("A CSV with a wrong line is refused, and the line is named", () => {
    assert.throws(() => fromCsv("0,0\n1,2\n2,2"), /CSV: 3 labels, expected 4; index 3 is missing/);
    assert.throws(() => fromCsv("0,0\n1,2\n2,2\n3,1\n4,0"), /CSV, line 5: index "4", expected an integer from 0 to 3/);
    assert.throws(() => fromCsv("0,0\n1,3\n2,2\n3,1"), /line 2: label "3", expected an integer from 0 to 2/);
    assert.throws(() => fromCsv("0,0\n1,-1\n2,2\n3,1"), /line 2: label "-1"/);
    assert.throws(() => fromCsv("0,0\n1,1.5\n2,2\n3,1"), /line 2: label "1.5"/);
    assert.throws(() => fromCsv("0,0\n1,\n2,2\n3,1"), /line 2: label ""/);
    assert.throws(() => fromCsv("0,0\n1,cat\n2,2\n3,1"), /line 2: label "cat"/);
    assert.throws(() => fromCsv("0,0\n1,2\n1,2\n3,1"), /line 3: index 1 comes a second time/);
    assert.throws(() => fromCsv("0,0\n1,2,7\n2,2\n3,1"), /line 2: 3 fields, expected 2/);
    assert.throws(() => fromCsv("0\n1\n2\n0"), /line 1: 1 fields, expected 2/);
    assert.throws(() => fromCsv(""), /CSV: 0 labels, expected 4/);
  });

  it("A CSV of nothing but line ends takes no memory, and its file is no longer than its labels can need", async () => {
    const before = process.memoryUsage().heapUsed;

    assert.throws(() => fromCsv("\n".repeat(1 << 24)), /CSV: 0 labels, expected 4/);

    assert.ok(process.memoryUsage().heapUsed - before < 1 << 28);
    const file = await folder.write("long.csv", "\n".repeat(10_000));
    await assert.rejects(readNoisyLabelsCsv(file, { labels, numClasses: 3 }), /long.csv: 10000 bytes, expected at most 1280/);
  });
});
