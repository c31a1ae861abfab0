/** Pages that are made of committed records and figures: the table of results and the gallery. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { readRecords, resultsFolder, type RunRecord } from "../experiments/records";
import { catalog } from "../paper/catalog";
import { largestBudget, recordsNames, type PaperItem } from "../paper/item";
import { readmeTable, summaryCells } from "../paper/readmeTable";

const committed = (name: string): RunRecord[] => readRecords(name, { folders: [resultsFolder] });

/** paper | ours, one line an item; its links are relative to the project's folder. */
export function resultsPage(): string {
  return `# Results: the paper and ours

One line per table or figure of the paper. Every number of ours comes from a committed record, one line per run in \`data/results\`.
Budget \`lab\` is ours: networks and data small enough for about an hour on two processor cores. Its errors are therefore larger than
the paper's, and only differences between methods can be compared. Intervals are 95 % (Student's t) over seeds. The
[gallery](gallery.md) shows the figures.

${readmeTable(catalog, committed)}
`;
}

/** Each item's committed figure with a caption; links are relative to the project's folder. */
export function galleryPage(root: string): string {
  const entries = catalog.map((item) => galleryEntry(item, root)).filter(Boolean);
  return `# Gallery

The figures, drawn from the committed records. Each is in \`figures\` as SVG, as PNG and as a Vega or Vega-Lite specification, which can be
edited and drawn again.

${entries.join("\n\n")}
`;
}

/** "" if no figure of the item is committed. */
function galleryEntry(item: PaperItem, root: string): string {
  const files = ["svg", "png", "vl.json", "vg.json"].map((type) => `figures/${item.id}.${type}`);
  const found = files.filter((file) => existsSync(path.join(root, file)));
  if (!found[0]?.endsWith(".svg")) return "";
  const links = found.map((file) => `[${file.slice(`figures/${item.id}.`.length)}](${file})`);
  return `## ${item.title}

<div class="output">
${readFileSync(path.join(root, found[0]), "utf8").replace(/\n\s*\n/g, "\n")}
</div>

*${item.claim}* ${captionOf(item)}
[Notebook](notebooks/${item.id}.ipynb) · ${links.join(" · ")}`;
}

/** What was trained, and our verdict; "" without records. */
function captionOf(item: PaperItem): string {
  const records = recordsNames(item).flatMap(committed);
  const [budget, cells] = [largestBudget(item, records), summaryCells(item, records)];
  return budget && cells ? `${item.describe(budget)}, budget \`${budget}\`. Verdict here: ${cells.verdict}.` : "";
}
