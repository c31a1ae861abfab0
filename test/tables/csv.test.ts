import assert from "node:assert/strict";
import { toCsv } from "../../src/tables/csv";

describe("tables/csv", () => {
  // RFC 4180, section 2, rules 6 and 7: commas, line breaks and quotes stand in quotes, and a quote is doubled.
  it("quotes commas, line breaks and quotes as RFC 4180 has it", () => {
    const rows = [{ a: 'b"bb', b: "c\nc", c: "d,d", d: "plain" }];

    assert.equal(toCsv(rows), 'a,b,c,d\n"b""bb","c\nc","d,d",plain\n');
  });

  it("keeps all digits of a number and leaves a missing value empty", () => {
    assert.equal(toCsv([{ x: 0.1 + 0.2, y: null }, { x: Number.NaN, y: 1e-9 }]), `x,y\n${0.1 + 0.2},\n,1e-9\n`); // prettier-ignore
  });

  it("takes columns in the order of their headings", () => {
    assert.equal(toCsv([{ a: 1, b: 2, c: 3 }], { columns: { c: "third", a: "first" } }), "third,first\n3,1\n");
  });

  it("refuses rows that are no list of objects, and unknown options", () => {
    assert.throws(() => toCsv({ a: 1 } as never), /toCsv: expected the rows as an array of objects/);
    assert.throws(() => toCsv([], { colums: {} } as object), /toCsv: unknown option "colums", did you mean "columns"\?/);
  });
});
