/** How well a measure predicts, against m, with one curve for each task: Figure 3 right. */
import { checkFigure } from "./checkFigure";
import { colorLegend, colorScale, nominal, panelTitle, quantitative, unique, type Layer } from "./encoding";
import { figure, type FigureSpec, type FigureTitle } from "./theme";

/** How well one measure predicts the generalization gap. */
export interface PredictorScore {
  /** Examples per block, at least 1; on a log axis. */
  readonly m: number;
  readonly score: number;
  /** Ends of the interval around the score, which need not lie in its middle. */
  readonly low?: number;
  readonly high?: number;
  /** The curve: "Task 1". */
  readonly series: string;
  /** One plot for each, side by side, each with its own axis. */
  readonly panel: string;
  /** The title of the panel's y axis. */
  readonly yTitle: string;
}

/** Options of `predictorScores`. */
export interface PredictorScoresOptions extends FigureTitle {
  readonly rows: readonly PredictorScore[];
}

/** @throws where an option is unknown, or a row lacks m, score, series, panel or yTitle */
export function predictorScores(options: PredictorScoresOptions): FigureSpec {
  const fields = ["m", "score", "series", "panel", "yTitle"];
  checkFigure(options, { what: "predictorScores", kinds: { rows: "array" }, fields });
  const { rows } = options;
  const series = unique(rows.map((row) => row.series));
  const color = nominal("series", { title: null, scale: colorScale(series), sort: null, legend: colorLegend(series) });
  const panels = unique(rows.map((row) => row.panel));
  const width = Math.min(360, Math.floor(820 / panels.length) - 70);
  return figure(options, panels.length * (width + 70), {
    hconcat: panels.map((panel) =>
      scorePanel(
        rows.filter((row) => row.panel === panel),
        { panel, width, color, names: series },
      ),
    ),
    resolve: { scale: { color: "shared", x: "independent", y: "independent" } },
  });
}

interface ScorePanel {
  readonly panel: string;
  readonly width: number;
  readonly color: Layer;
  readonly names: readonly string[];
}

function scorePanel(rows: readonly PredictorScore[], { panel, width, color, names }: ScorePanel): Layer {
  const ms = unique(rows.map(({ m }) => m));
  const x = quantitative("m", { title: "m", scale: { type: "log", nice: false, padding: 14 }, axis: { values: ms, grid: false, format: "d" } }); // prettier-ignore
  const y = quantitative("score", { title: rows[0]!.yTitle, scale: { zero: false, nice: true } });
  const values = rows.map((row) => ({ ...row, low: row.low ?? row.score, high: row.high ?? row.score }));
  const layer = names.flatMap((name, i) => {
    const xOffset = (i - (names.length - 1) / 2) * 6; // bars of two curves at one m stand beside each other
    const marks = [
      { mark: { type: "rule", strokeWidth: 1.5, opacity: 0.5, xOffset }, encoding: { y: quantitative("low", { title: rows[0]!.yTitle }), y2: { field: "high" } } }, // prettier-ignore
      { mark: { type: "line", strokeWidth: 2.25, xOffset }, encoding: { y } },
      { mark: { type: "point", filled: true, size: 55, opacity: 1, xOffset }, encoding: { y } },
    ];
    return [{ transform: [{ filter: { field: "series", equal: name } }], layer: marks }];
  });
  return { ...panelTitle(panel), width, height: 280, data: { values }, encoding: { x, color }, layer };
}
