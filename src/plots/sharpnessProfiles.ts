/** The rise of the loss against the radius of the ball, measured and predicted. */
import { checkFigure } from "./checkFigure";
import { learningCurves } from "./learningCurves";
import type { FigureSpec, FigureTitle } from "./theme";

/** A point of `sharpnessProfile`. */
export interface SharpnessProfileRow {
  readonly rho: number;
  readonly worstCase: number;
  readonly oneStep: number;
  readonly gradientTerm: number;
  readonly curvatureTerm: number;
  /** One plot for each, side by side. */
  readonly panel?: string;
}

/** Options of `sharpnessProfiles`. */
export interface SharpnessProfilesOptions extends FigureTitle {
  readonly rows: readonly SharpnessProfileRow[];
}

const profileNames = {
  worstCase: "worst in the ball",
  oneStep: "at ε̂, one step",
  gradientTerm: "ρ × gradient norm", // the font has no ∇ and no ‖
  curvatureTerm: "½ρ²λmax",
} as const;

type ProfileField = keyof typeof profileNames;
const profileFields = Object.keys(profileNames) as ProfileField[];

/**
 * Rise of the loss against the radius ρ: measured values solid, the two terms that predict them dashed.
 * @throws where an option is unknown, or a row lacks ρ or one of the four values
 */
export function sharpnessProfiles(options: SharpnessProfilesOptions): FigureSpec {
  checkFigure(options, { what: "sharpnessProfiles", kinds: { rows: "array" }, fields: ["rho", ...profileFields] });
  const { rows, ...heading } = options;
  const lines = rows.flatMap((row) =>
    profileFields.map((field) => {
      const style = field.endsWith("Term") ? "predicted" : "measured";
      return { x: row.rho, mean: row[field], series: profileNames[field], style, panel: row.panel };
    }),
  );
  return learningCurves({ ...heading, rows: lines, xTitle: "ρ", yTitle: "rise of the loss", xFormat: "~g" });
}
