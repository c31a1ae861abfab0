/** A class's points by exercise: a bar for the mean, a dot for each student. */
import { checkFigure } from "./checkFigure";
import { nominal, quantitative, textWidth, unique } from "./encoding";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

/** Points of one exercise over a class. */
export interface ExercisePoints {
  readonly exercise: string;
  readonly student: string;
  /** Points divided by the exercise's most points, in [0, 1]. */
  readonly share: number;
}

/** Options of `classPoints`. */
export interface ClassPointsOptions extends FigureTitle {
  /** Exercises in order of first appearance. */
  readonly rows: readonly ExercisePoints[];
}

/**
 * Where a class lost its points. Dots of equal shares stand side by side within the bar's height.
 * @throws where an option is unknown, or a row lacks its exercise, student or share
 */
export function classPoints(options: ClassPointsOptions): FigureSpec {
  checkFigure(options, { what: "classPoints", kinds: { rows: "array" }, fields: ["exercise", "student", "share"] });
  const exercises = unique(options.rows.map(({ exercise }) => exercise));
  const students = unique(options.rows.map(({ student }) => student));
  const values = options.rows.map((row) => ({ ...row, percent: 100 * row.share }));
  const y = nominal("exercise", { title: null, sort: null, scale: { domain: exercises }, axis: { grid: false, ticks: false } });
  const x = (field: object) => ({ ...quantitative("percent", { title: "points (%)", scale: { domain: [0, 100] } }), ...field });
  const width = 520;
  return figure(options, width + textWidth(exercises), {
    ...{ width, height: { step: 34, for: "position" }, data: { values } },
    layer: [
      { mark: { type: "bar", color: palette.faint, height: 22 }, encoding: { y, x: x({ aggregate: "mean" }) } },
      {
        mark: { type: "point", filled: true, size: 26, color: palette.blue, opacity: 0.8 },
        encoding: { y, x: x({}), yOffset: { field: "student", type: "nominal", scale: { domain: students } } },
      },
    ],
  });
}
