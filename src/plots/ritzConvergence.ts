/** Ritz values against Lanczos steps. */
import { checkFigure } from "./checkFigure";
import { quantitative, wholeTicks } from "./encoding";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

/** Options of `ritzConvergence`. */
export interface RitzConvergenceOptions extends FigureTitle {
  /** (steps, 1 … steps) the Ritz values after each step, from `ritzHistory`. */
  readonly history: readonly (readonly number[])[];
  /** The true eigenvalues, drawn as lines. */
  readonly eigenvalues?: readonly number[];
}

/**
 * Lanczos at work: the Ritz values after each step as dots, which settle on the eigenvalues from the ends of the spectrum inwards.
 * @throws where an option is unknown
 */
export function ritzConvergence(options: RitzConvergenceOptions): FigureSpec {
  const kinds = { history: "array", eigenvalues: "array" } as const;
  checkFigure(options, { what: "ritzConvergence", kinds, rows: "history" });
  const { history, eigenvalues = [] } = options;
  const rows = history.flatMap((values, i) => values.map((ritz) => ({ step: i + 1, ritz })));
  const y = (field: string) => quantitative(field, { title: "eigenvalue", scale: { zero: false }, axis: { grid: false } });
  const axis = { grid: false, values: wholeTicks([1, history.length], 560) };
  const x = quantitative("step", { title: "Lanczos steps", scale: { zero: false, nice: false, padding: 8 }, axis });
  const dot = { type: "circle", color: palette.green, size: 22, opacity: 0.9 };
  const lines = eigenvalues.map((lambda) => ({ lambda }));
  return figure(options, 560, {
    ...{ width: 560, height: 300 },
    layer: [
      { data: { values: lines }, mark: { type: "rule", color: palette.faint }, encoding: { y: y("lambda") } },
      { data: { values: rows }, mark: dot, encoding: { x, y: y("ritz") } },
    ],
  });
}
