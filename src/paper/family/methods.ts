/** The members of SAM's family on the bench, each with the settings that are tried for it: the same number for all. */
import type { RunOptions } from "../../experiments/config";

type Training = Partial<RunOptions["training"]>;

/** One setting of a method. */
export interface Trial {
  /** "ρ = 0.2, α = 0.4" */
  readonly text: string;
  readonly training: Training;
  /** Whether it is at an end of the method's grid, so that a better value may lie outside. */
  readonly atEdge: boolean;
}

export interface FamilyMethod {
  readonly name: string;
  /** Settings tried on held-out images; a budget that tunes nothing takes the first. */
  readonly trials: readonly Trial[];
  /** Multiple of SAM's epochs; default 1. */
  readonly epochFactor?: number;
  /** It needs normalization layers. */
  readonly needsNorm?: true;
}

/** A grid of one value; `first` is used where nothing is tuned. */
function grid(symbol: string, values: readonly number[], first: number, trainingAt: (value: number) => Training): Trial[] {
  const ends = [Math.min(...values), Math.max(...values)];
  return [first, ...values.filter((value) => value !== first)].map((value) => ({
    text: `${symbol} = ${value}`,
    training: trainingAt(value),
    atEdge: ends.includes(value),
  }));
}

/** Two radii, each with two values of the variant's own option; the first value and ρ = 0.2 are used where nothing is tuned. */
function pairs(symbol: string, values: readonly [number, number], variantAt: (value: number) => Training["variant"]): Trial[] {
  return [0.2, 0.1].flatMap((rho) =>
    values.map((value) => ({
      text: `ρ = ${rho}, ${symbol} = ${value}`,
      training: { rho, variant: variantAt(value) },
      atEdge: false,
    })),
  );
}

const samRhos = [0.05, 0.1, 0.2, 0.5]; // Table 4's grid at its budget "lab"
const rhos = (more: Training = {}, values: readonly number[] = samRhos, first = 0.2) =>
  grid("ρ", values, first, (rho) => ({ rho, ...more }));
const learningRates = grid("η", [0.005, 0.01, 0.02, 0.05], 0.02, (learningRate) => ({ learningRate }));

const SSAM_EVERY = 15; // an epoch of the budget "lab", as the authors

/** In the order of the table. The values are of the papers' ranges, see each variant's file. */
export const familyMethods: readonly FamilyMethod[] = [
  { name: "SGD", trials: learningRates },
  { name: "SGD, twice the epochs", trials: learningRates, epochFactor: 2 },
  { name: "SAM", trials: rhos() },
  { name: "SAM every 2nd step", trials: rhos({ samInterval: 2 }) },
  { name: "ASAM", trials: rhos({ adaptive: "weights" }, [0.2, 0.5, 1, 2], 1) },
  { name: "ASAM (as ported)", trials: rhos({ adaptive: "all" }, [0.5, 1, 2, 5], 2) },
  { name: "USAM", trials: rhos({ normalize: false }) },
  { name: "WASAM", trials: rhos({ averageLast: 0.25 }) },
  { name: "GSAM", trials: pairs("α", [0.1, 0.4], (alpha) => ({ name: "gsam", alpha })) },
  { name: "LookSAM", trials: pairs("α", [0.7, 0.5], (alpha) => ({ name: "lookSam", alpha })) },
  { name: "ESAM", trials: pairs("γ", [0.5, 0.75], (gamma) => ({ name: "esam", gamma })) },
  { name: "AE-SAM", trials: pairs("λ₂", [1, 0.5], (lambda2) => ({ name: "aeSam", lambda2 })) },
  { name: "MSAM", trials: rhos({ variant: { name: "msam" }, nesterov: false }, [0.1, 0.3, 1, 3], 0.3) },
  { name: "Friendly SAM", trials: pairs("λ", [0.6, 0.95], (lambda) => ({ name: "friendlySam", lambda })) },
  { name: "SAM-ON", trials: rhos({ variant: { name: "samOn" } }, [0.1, 0.2, 0.5, 1], 0.5), needsNorm: true },
  { name: "Fisher SAM", trials: pairs("η", [1, 1000], (eta) => ({ name: "fisherSam", eta })) },
  {
    name: "Sparse SAM",
    trials: pairs("sparsity", [0.5, 0.8], (sparsity) => ({ name: "sparseSam", sparsity, every: SSAM_EVERY })),
  },
  { name: "Eigen-SAM", trials: pairs("α", [0.2, 0.1], (alpha) => ({ name: "eigenSam", alpha })) },
  { name: "random direction", trials: rhos({ variant: { name: "random" } }, [2, 5, 10, 20], 5) },
];

export const SAM_NAME = "SAM";
export const SGD_NAME = "SGD";
export const BASELINE = "SGD, twice the epochs";

/** Neither SAM nor SGD. */
export const isVariant = (name: string): boolean => ![SAM_NAME, SGD_NAME, BASELINE].includes(name);
