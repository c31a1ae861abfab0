/** Tables as LaTeX, for papers: `booktabs` rules, and plain ASCII source that pdfLaTeX compiles. */
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

/**
 * A `table` environment with its title as caption, its footnotes below, and bold cells. Needs `\usepackage{booktabs}`.
 * @throws where the rows are not a list of objects, an option is unknown
 */
export function toLatex(rows: readonly TableRow[], options: TableOptions = {}): string {
  checkTable(rows, options, { kinds: tableOptionKinds, what: "toLatex" });
  const { title, footnotes = [], strong } = options;
  const columns = columnsOf(rows, options.columns);
  const cell = (row: TableRow, field: string) => {
    const text = escapeLatex(cellText(row[field]));
    return strong?.(row, field) ? `\\textbf{${text}}` : text;
  };
  return [
    "\\begin{table}",
    "\\centering",
    ...(title ? [`\\caption{${escapeLatex(title)}}`] : []),
    `\\begin{tabular}{${columns.map(({ numeric }) => (numeric ? "r" : "l")).join("")}}`,
    "\\toprule",
    ...groupLines(columns),
    line(columns.map(({ name }) => escapeLatex(name))),
    "\\midrule",
    ...rows.map((row) => line(columns.map(({ field }) => cell(row, field)))),
    "\\bottomrule",
    "\\end{tabular}",
    ...footnotes.map((note) => `\\par\\smallskip{\\footnotesize ${escapeLatex(note)}}`),
    "\\end{table}",
    "",
  ].join("\n");
}

function line(cells: readonly string[]): string {
  return `${cells.join(" & ")} \\\\`;
}

/** The upper headings, each above a rule as wide as its columns. */
function groupLines(columns: readonly Column[]): string[] {
  const groups = groupsOf(columns);
  if (!groups) return [];
  let next = 1;
  const placed = groups.map((group) => ({ ...group, first: next, last: (next += group.span) - 1 }));
  const cells = placed.map(({ name, span }) => `\\multicolumn{${span}}{c}{${escapeLatex(name)}}`);
  const rules = placed.filter(({ name }) => name).map(({ first, last }) => `\\cmidrule(lr){${first}-${last}}`);
  return [line(cells), rules.join(" ")];
}

const special: Readonly<Record<string, string>> = {
  ...{ "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\n": " " },
  ...{
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "–": "--",
    "—": "---",
    "…": "\\dots{}",
    "“": "``",
    "”": "''",
    '"': "''",
    "\u00a0": "~",
    "\u202f": "\\,",
  },
  ...{ "±": "$\\pm$", "−": "$-$", "×": "$\\times$", "·": "$\\cdot$", "∞": "$\\infty$", "∇": "$\\nabla$", "½": "$\\frac12$" },
  ...{ "≤": "$\\le$", "≥": "$\\ge$", "≈": "$\\approx$", "→": "$\\to$", "‖": "$\\|$", ℓ: "$\\ell$", ᵢ: "$_i$" },
};

// Alphabetical order; LaTeX writes omicron and the final sigma with Latin letters.
const greek = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi o pi rho varsigma sigma tau upsilon phi chi psi omega"; // prettier-ignore
const greekNames = greek.split(" ");

/** A character with a combining circumflex becomes one command: ε̂ → $\hat{\epsilon}$. */
const hat = /(.)\u0302/gu;

function escapeLatex(text: string): string {
  const parts = text.replace(/(?<![^\s(])"/g, "“").split(hat); // the captured letters are at odd places
  const hatted = (letter: string) => `$\\hat{${latexOf(letter).replaceAll("$", "")}}$`;
  return parts.map((part, i) => (i % 2 === 1 ? hatted(part) : [...part].map(latexOf).join(""))).join("");
}

/** Letters that pdfLaTeX may lack, such as Chinese ones, stay as they are: XeLaTeX and LuaLaTeX take them. */
function latexOf(character: string): string {
  if (/[&%$#_{}]/.test(character)) return `\\${character}`;
  return special[character] ?? greekOf(character) ?? scriptOf(character) ?? character;
}

function greekOf(character: string): string | undefined {
  const [small, large] = [character.codePointAt(0)! - "α".codePointAt(0)!, "ΓΔΘΛΞΠΣΦΨΩ".includes(character)];
  const name = greekNames[large ? character.toLowerCase().codePointAt(0)! - "α".codePointAt(0)! : small];
  if (name === undefined) return undefined;
  return name === "o" ? name : `$\\${large ? name[0]!.toUpperCase() + name.slice(1) : name}$`;
}

function scriptOf(character: string): string | undefined {
  const [upper, lower] = ["⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"].map((digits) => [...digits].indexOf(character));
  if (upper! >= 0) return `$^${upper}$`;
  return lower! >= 0 ? `$_${lower}$` : undefined;
}
