/** A class's results by exercise: how many students have all of its points, some or none. */
import { checkFigure } from "./checkFigure";
import { colorLegend, nominal, quantitative, textWidth, unique } from "./encoding";
import { figure, palette, type FigureSpec, type FigureTitle } from "./theme";

/** Points of one exercise over a class. */
export interface ExercisePoints {
  readonly exercise: string;
  readonly student: string;
  /** Points divided by the exercise's most points, in [0, 1]; undefined where an answer is not read yet. */
  readonly share?: number;
}

/** Options of `classPoints`. */
export interface ClassPointsOptions extends FigureTitle {
  /** Exercises in order of first appearance. */
  readonly rows: readonly ExercisePoints[];
}

const outcomes = {
  "all points": palette.green,
  "some points": palette.sky,
  "no points": palette.gray,
  "not read yet": palette.faint,
};

/**
 * One bar for each exercise, as long as the class is large.
 * @throws where an option is unknown, or a row lacks its exercise or student
 */
export function classPoints(options: ClassPointsOptions): FigureSpec {
  checkFigure(options, { what: "classPoints", kinds: { rows: "array" }, fields: ["exercise", "student"] });
  const values = options.rows.map(({ exercise, share }) => ({ exercise, outcome: outcomeOf(share) }));
  const exercises = unique(options.rows.map(({ exercise }) => exercise));
  const names = Object.keys(outcomes).filter((name) => values.some(({ outcome }) => outcome === name));
  const scale = { domain: names, range: names.map((name) => outcomes[name as keyof typeof outcomes]) };
  const order = { field: "place", type: "quantitative" };
  const width = 520;
  return figure(options, width + textWidth(exercises), {
    ...{ width, height: { step: 32 }, mark: { type: "bar", height: 20 } },
    data: { values: values.map((each) => ({ ...each, place: names.indexOf(each.outcome) })) },
    encoding: {
      y: nominal("exercise", { title: null, sort: null, scale: { domain: exercises }, axis: { grid: false, ticks: false } }),
      x: { ...quantitative("outcome", { title: "students", axis: { tickMinStep: 1 } }), aggregate: "count" },
      color: nominal("outcome", { title: null, sort: null, scale, legend: colorLegend(names) }),
      order,
    },
  });
}

function outcomeOf(share: number | undefined): keyof typeof outcomes {
  if (share === undefined) return "not read yet";
  return share >= 1 ? "all points" : share > 0 ? "some points" : "no points";
}
