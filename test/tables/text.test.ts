import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { toText } from "../../src/tables/text";

const rows = [
  { method: "SGD", network: "WRN-10-1, basic", sgd: "25.76±0.50", sam: 3 },
  { method: "SAM, ε̂", network: "ConvNet 16-32-64", sgd: null, sam: 21.5 },
];
const columns = { method: "method", network: "network", sgd: "ours · SGD", sam: "ours · SAM" };
const linesOf = (text: string) => text.split("\n");
const widest = (text: string) => Math.max(...linesOf(text).map((line) => [...line.replace(/\p{M}/gu, "")].length));

describe("tables/text", () => {
  it("aligns text on the left, numbers on the right, and upper headings over their columns", () => {
    const text = toText(rows, { columns, title: "Two runs", footnotes: ["one note", "another"] });

    assert.deepEqual(linesOf(text), [
      "Two runs",
      "",
      "                          ours",
      "                          ────────────────",
      "method  network                  SGD   SAM",
      "──────  ────────────────  ──────────  ────",
      "SGD     WRN-10-1, basic   25.76±0.50     3",
      "SAM, ε̂  ConvNet 16-32-64           –  21.5",
      "",
      "one note",
      "another",
      "",
    ]);
  });

  it("wraps words where the line would be too long, then continues in a block that repeats the first columns", () => {
    const narrow = toText(rows, { columns, width: 30 });

    assert.deepEqual(linesOf(narrow), [
      "                    ours",
      "                    ──────────",
      "method  network            SGD",
      "──────  ──────────  ──────────",
      "SGD     WRN-10-1,   25.76±0.50",
      "        basic",
      "SAM, ε̂  ConvNet              –",
      "        16-32-64",
      "",
      "        ours",
      "        ────",
      "method   SAM",
      "──────  ────",
      "SGD        3",
      "SAM, ε̂  21.5",
      "",
    ]);
  });

  it("has no line wider than asked for, whatever the words", () => {
    const long = [{ ...rows[0], network: "Abcdefghijklmnopqrstuvwxyz".repeat(3) }];

    for (const width of [20, 33, 47, 80, 132])
      assert.ok(widest(toText(long, { columns, width, title: "A title that is long ".repeat(9), footnotes: ["x".repeat(200)] })) <= width); // prettier-ignore
  });

  it("loses no value when it wraps", () => {
    const text = toText(rows, { columns, width: 20 });

    for (const part of ["SGD", "WRN-10-1", "basic", "±0.50", "21.5"]) assert.ok(text.includes(part), part);
  });

  it("marks bold cells with asterisks, or as the caller says, without moving the columns", () => {
    const strong = (_: unknown, field: string) => field === "sam";
    const bold = toText(rows, { strong, emphasize: (text) => `\u001b[1m${text}\u001b[22m` });

    assert.ok(toText(rows, { strong }).includes("*21.5*"));
    assert.ok(bold.includes("\u001b[1m"));
    assert.equal(stripVTControlCharacters(bold), toText(rows));
  });

  it("names a width that leaves no room, and an unknown option", () => {
    assert.throws(() => toText(rows, { width: 8 }), /toText: width = 8, expected an integer of at least 20/);
    assert.throws(() => toText(rows, { widht: 80 } as object), /toText: unknown option "widht", did you mean "width"\?/);
  });
});
