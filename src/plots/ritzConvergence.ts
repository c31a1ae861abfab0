/** Ritz values against Lanczos steps. */
import { quantitative } from "./encoding";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

export interface RitzConvergenceOptions extends FigureTitle {
  /** (steps, 1 … steps) the Ritz values after each step: `ritzHistory` */
  readonly history: readonly (readonly number[])[];
  /** the true eigenvalues, drawn as lines */
  readonly eigenvalues?: readonly number[];
}

/** Lanczos at work: the Ritz values after each step as dots, which settle on the eigenvalues from the ends of the spectrum inwards. */
export function ritzConvergence({ history, eigenvalues = [], ...heading }: RitzConvergenceOptions): FigureSpec {
  const rows = history.flatMap((values, i) => values.map((ritz) => ({ step: i + 1, ritz })));
  const y = (field: string) => quantitative(field, { title: "eigenvalue", scale: { zero: false }, axis: { grid: false } });
  const x = quantitative("step", {
    title: "Lanczos steps",
    scale: { zero: false, nice: false },
    axis: { grid: false, tickCount: 8 },
  });
  const lines = eigenvalues.map((lambda) => ({ lambda }));
  return figure(heading, 560, {
    ...{ width: 560, height: 300 },
    layer: [
      { data: { values: lines }, mark: { type: "rule", color: palette.faint }, encoding: { y: y("lambda") } },
      {
        data: { values: rows },
        mark: { type: "circle", color: palette.blue, size: 22, opacity: 0.9 },
        encoding: { x, y: y("ritz") },
      },
    ],
  });
}
