/**
 * How the loss rises with the radius of the ball, beside the two terms that a Taylor expansion predicts: ρ‖∇L‖ (eq. (2) of Foret et
 * al. 2021 is its maximizer) and ½ρ²λmax, which is all there is at a minimum.
 */
import { checkOptions, disposeWeights, globalNorm, type OptionKinds } from "../engine";
import { hessianOperator } from "./hessianOperator";
import { lambdaMax } from "./lanczos";
import { mSharpness, worstCaseSharpness, type WorstCaseOptions } from "./measures";
import { checkOver, SEED } from "./operator";
import { lossAndGradient, makeProblem, problemKinds, type Network, type ProblemData } from "./problem";

/** Options of `sharpnessProfile`. */
export interface ProfileOptions extends Omit<WorstCaseOptions, "rho" | "normP" | "adaptive" | "eta" | "onProgress"> {
  /** Radii of the balls. Ours: from half to four times 0.05, the paper's untuned default. */
  radii?: readonly number[];
  /** Most Lanczos steps for λmax. Ours: 100. */
  lanczosSteps?: number;
}

const profileKinds: OptionKinds<ProfileOptions> = {
  ...problemKinds,
  signal: "object",
  seed: SEED,
  steps: "number",
  restarts: "number",
  radii: "array",
  lanczosSteps: "number",
};

/** One radius; rises are of the mean loss over all data. */
export interface ProfilePoint {
  readonly rho: number;
  /** Largest L(w + ε) − L(w) that projected ascent found for ‖ε‖ ≤ ρ. */
  readonly worstCase: number;
  /** L(w + ε̂) − L(w): what SAM's one step finds. */
  readonly oneStep: number;
  /** ρ‖∇L(w)‖ */
  readonly gradientTerm: number;
  /** ½ρ²λmax; 0 where no curvature is positive. */
  readonly curvatureTerm: number;
}

/** Measured and predicted rise for each radius. The worst case lies below the sum of both terms where L is quadratic. */
export async function sharpnessProfile(
  network: Network,
  data: ProblemData,
  options: ProfileOptions = {},
): Promise<ProfilePoint[]> {
  checkOptions(options, profileKinds, "sharpnessProfile");
  const { radii = [0.025, 0.05, 0.1, 0.15, 0.2], lanczosSteps, steps, restarts, ...rest } = options;
  for (const rho of radii) checkOver("a radius", rho, 0);
  const { size, slope } = await gradientNorm(network, data, options);
  const { loss, batchSize, mode, signal } = rest;
  const operator = hessianOperator(network, data, { loss, batchSize, mode, signal });
  const top = await lambdaMax(operator, { signal: rest.signal, seed: rest.seed, lanczosSteps: lanczosSteps ?? Math.min(100, operator.size) }); // prettier-ignore
  const points: ProfilePoint[] = [];
  for (const rho of radii) {
    const worst = await worstCaseSharpness(network, data, { ...rest, steps, restarts, rho });
    const step = await mSharpness(network, data, { ...rest, rho, m: size });
    const curvatureTerm = (rho * rho * Math.max(0, top.lambdaMax)) / 2;
    points.push({ rho, worstCase: worst.sharpness, oneStep: step.sharpness, gradientTerm: rho * slope, curvatureTerm });
  }
  return points;
}

async function gradientNorm(network: Network, data: ProblemData, options: ProfileOptions) {
  const problem = makeProblem(network, data, options);
  const { gradient } = await lossAndGradient(problem, { signal: options.signal });
  const slope = globalNorm(gradient);
  disposeWeights(gradient);
  return { size: problem.size, slope };
}
