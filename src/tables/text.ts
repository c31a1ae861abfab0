/** Tables as aligned plain text that fits a terminal. */
import { stripVTControlCharacters } from "node:util";
import {
  cellText,
  checkTable,
  columnsOf,
  groupsOf,
  tableOptionKinds,
  type Column,
  type TableOptions,
  type TableRow,
} from "./table";

/** Options of `toText`. */
export interface TextOptions extends TableOptions {
  /** Characters in a line, at least 20. */
  readonly width?: number; // 80: a terminal's traditional width
  /** Writes a bold cell; its escape codes take no width. Default: *3.98*. */
  readonly emphasize?: (text: string) => string;
}

const gap = "  ";

/**
 * A table of aligned columns in lines of at most `width` characters. Where it is too wide, cells and headings wrap at spaces first;
 * then the columns continue in further blocks below, which repeat the first columns.
 * @throws where the rows are not a list of objects, an option is unknown, or the width is below 20
 */
export function toText(rows: readonly TableRow[], options: TextOptions = {}): string {
  checkTable(rows, options, { kinds: { ...tableOptionKinds, width: "number", emphasize: "function" }, what: "toText" });
  const { title, footnotes = [], strong, width = 80, emphasize = (text) => `*${text}*` } = options;
  if (!Number.isInteger(width) || width < 20)
    throw new RangeError(`toText: width = ${width}, expected an integer of at least 20`);
  const columns = columnsOf(rows, options.columns).map((column) => {
    const cells = rows.map((row) => {
      const text = cellText(row[column.field]).replace(/\s+/g, " ");
      return strong?.(row, column.field) ? emphasize(text) : text;
    });
    return { ...column, cells, least: leastWidth([column.name, ...cells], Math.floor((width - gap.length) / 2)) };
  });
  const blocks = blocksOf(columns, width).map((block) => blockLines(block, width).join("\n"));
  const above = title ? [wrap(title, width).join("\n")] : [];
  const below = footnotes.length > 0 ? [footnotes.flatMap((note) => wrap(note, width)).join("\n")] : [];
  return [...above, ...blocks, ...below].join("\n\n") + "\n";
}

interface TextColumn extends Column {
  readonly cells: readonly string[];
  /** The narrowest that its words allow. */
  readonly least: number;
}

/** The longest word, but not more than `most`: longer words are broken. */
function leastWidth(texts: readonly string[], most: number): number {
  return Math.min(most, Math.max(1, ...texts.flatMap((text) => text.split(" ").map(widthOf))));
}

/** Puts as many columns side by side as the width allows; each further block repeats the columns that name the rows. */
function blocksOf(columns: readonly TextColumn[], width: number): TextColumn[][] {
  const sum = (list: readonly TextColumn[]) => list.reduce((total, { least }) => total + least + gap.length, -gap.length);
  const leading: TextColumn[] = [];
  for (const column of columns) {
    if (column.group !== columns[0]?.group || sum([...leading, column]) > width / 2) break;
    leading.push(column);
  }
  const blocks: TextColumn[][] = [[]];
  for (const column of columns) {
    if (sum([...blocks.at(-1)!, column]) > width) blocks.push([...leading]);
    blocks.at(-1)!.push(column);
  }
  return blocks;
}

function blockLines(columns: readonly TextColumn[], width: number): string[] {
  const widths = widthsOf(columns, width);
  const body = (columns[0]?.cells ?? []).flatMap((_, i) =>
    stacked(
      columns.map(({ cells }, at) => wrap(cells[i]!, widths[at]!)),
      { columns, widths },
    ),
  );
  const names = columns.map(({ name }, at) => wrap(name, widths[at]!));
  const tallest = Math.max(...names.map((lines) => lines.length));
  const head = stacked(
    names.map((lines) => [...Array<string>(tallest - lines.length).fill(""), ...lines]),
    { columns, widths },
  );
  const rule = widths.map((each) => "─".repeat(each)).join(gap);
  return [...groupHead(columns, widths), ...head, rule, ...body];
}

/** Natural widths, the widest cut back character by character until the line fits. */
function widthsOf(columns: readonly TextColumn[], width: number): number[] {
  const widths = columns.map(({ name, cells }) => Math.max(...[name, ...cells].map(widthOf)));
  const total = () => widths.reduce((sum, each) => sum + each + gap.length, -gap.length);
  while (total() > width) {
    const loose = widths.map((each, i) => (each > columns[i]!.least ? each : 0));
    widths[loose.indexOf(Math.max(...loose))]!--;
  }
  return widths;
}

/** Cells of several lines beside each other: text on the left of its column, numbers on the right. */
function stacked(
  cells: readonly (readonly string[])[],
  { columns, widths }: { columns: readonly TextColumn[]; widths: readonly number[] },
): string[] {
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    cells
      .map((lines, x) => pad(lines[y] ?? "", { width: widths[x]!, right: columns[x]!.numeric }))
      .join(gap)
      .trimEnd(),
  );
}

/** The upper headings, each over its columns with a rule below. */
function groupHead(columns: readonly TextColumn[], widths: readonly number[]): string[] {
  let next = 0;
  const groups = (groupsOf(columns) ?? []).map(({ name, span }) => {
    const mine = widths.slice(next, (next += span));
    const width = mine.reduce((sum, each) => sum + each + gap.length, -gap.length);
    return { width, lines: name ? [...wrap(name, width), "─".repeat(width)] : [] };
  });
  const height = Math.max(0, ...groups.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    groups
      .map(({ lines, width }) => pad(lines[y - height + lines.length] ?? "", { width }))
      .join(gap)
      .trimEnd(),
  );
}

/** Lines of at most `width` characters, broken at spaces, and inside a word only where it alone is longer. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ").flatMap((each) => pieces(each, width))) {
    const line = lines.at(-1)!;
    if (line && widthOf(line) + 1 + widthOf(word) > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}

function pieces(word: string, width: number): string[] {
  if (widthOf(word) <= width) return [word];
  return word.match(new RegExp(`.{1,${width}}`, "gu")) ?? [word];
}

function pad(text: string, { width, right = false }: { width: number; right?: boolean }): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
}

/** Characters that a terminal shows: without escape codes and combining accents. */
function widthOf(text: string): number {
  return [...stripVTControlCharacters(text).replace(/\p{M}/gu, "")].length;
}
