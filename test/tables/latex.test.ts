import assert from "node:assert/strict";
import { itemReport } from "../../src/paper/reproduce";
import { toLatex } from "../../src/tables/latex";

describe("tables/latex", () => {
  it("is a booktabs table with caption, grouped headings, bold cells and footnotes", () => {
    const text = toLatex([{ method: "SAM & co_1", error: "3.98±0.05", rho: "−" }], {
      title: "100 % of ρ",
      columns: { method: "method", error: "ours · error", rho: "ours · ρ" },
      footnotes: ['budget "lab"'],
      strong: (_, field) => field === "error",
    });

    assert.equal(
      text,
      String.raw`\begin{table}
\centering
\caption{100 \% of $\rho$}
\begin{tabular}{lrl}
\toprule
\multicolumn{1}{c}{} & \multicolumn{2}{c}{ours} \\
\cmidrule(lr){2-3}
method & error & $\rho$ \\
\midrule
SAM \& co\_1 & \textbf{3.98$\pm$0.05} & $-$ \\
\bottomrule
\end{tabular}
\par\smallskip{\footnotesize budget ${"``lab''"}}
\end{table}
`,
    );
  });

  it("writes the field's symbols as commands", () => {
    const cell = (text: string) => toLatex([{ x: text }]).split("\n").find((line) => line.startsWith("=")); // prettier-ignore

    assert.equal(cell("=ε̂ λ₅ Σ ½ρ²"), "=$\\hat{\\epsilon}$ $\\lambda$$_5$ $\\Sigma$ $\\frac12$$\\rho$$^2$ \\\\");
    assert.equal(
      cell("=a\\b~c^d {e} #1 $2"),
      "=a\\textbackslash{}b\\textasciitilde{}c\\textasciicircum{}d \\{e\\} \\#1 \\$2 \\\\",
    );
  });

  it("is plain ASCII for every table that cites the paper, as pdfLaTeX wants it", () => {
    for (const id of ["table-4", "table-5", "table-6", "figure-3-spectra"]) {
      const { rows, table } = itemReport(id);
      assert.match(toLatex(rows, table), /^\p{ASCII}*$/u);
    }
  });
});
