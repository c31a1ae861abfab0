/** The rise of the loss against the radius of the ball, measured and predicted. */
import { learningCurves } from "./learningCurves";
import { type FigureSpec, type FigureTitle } from "./theme";

/** A point as `sharpnessProfile` gives it. */
export interface SharpnessProfileRow {
  readonly rho: number;
  readonly worstCase: number;
  readonly oneStep: number;
  readonly gradientTerm: number;
  readonly curvatureTerm: number;
  /** a plot for each */
  readonly panel?: string;
}

export interface SharpnessProfilesOptions extends FigureTitle {
  readonly rows: readonly SharpnessProfileRow[];
}

const profileNames = {
  worstCase: "worst case in the ball",
  oneStep: "at ε̂, one step of SAM",
  gradientTerm: "ρ‖∇L‖",
  curvatureTerm: "½ρ²λmax",
} as const;

/** Rise of the loss against the radius of the ball: what was measured solid, what the two terms predict dashed. */
export function sharpnessProfiles({ rows, ...heading }: SharpnessProfilesOptions): FigureSpec {
  const lines = rows.flatMap((row) =>
    Object.entries(profileNames).map(([field, series]) => {
      const style = field.endsWith("Term") ? "predicted" : "measured";
      return { x: row.rho, mean: row[field as keyof typeof profileNames], series, style, panel: row.panel };
    }),
  );
  return learningCurves({ ...heading, rows: lines, xTitle: "ρ", yTitle: "rise of the loss", xFormat: "~g" });
}
