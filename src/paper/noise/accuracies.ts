/** Accuracies under label noise: by method and noise rate, and by how much one method is above another. */
import { formatEstimate, pairedDifference, type SeedMean, type SeedValue } from "../../experiments/statistics";
import { verdictsOn, type Claim } from "../claims";
import type { NoiseRow } from "./runs";

/** "last": after the last epoch. "best": at each run's best epoch, which only a clean test set can tell. */
export type EpochChoice = "last" | "best";

/** A method at a noise rate. */
export interface NoiseCell {
  readonly method: string;
  readonly noiseRate: number;
}

/** Accuracies in [0, 1], one for each seed. */
export function accuracies(rows: readonly NoiseRow[], cell: NoiseCell, epoch: EpochChoice = "last"): number[] {
  return accuraciesBySeed(rows, cell, epoch).map(({ value }) => value);
}

/** Accuracies in [0, 1] with their seeds. */
export function accuraciesBySeed(
  rows: readonly NoiseRow[],
  { method, noiseRate }: NoiseCell,
  epoch: EpochChoice = "last",
): SeedValue[] {
  const field = epoch === "last" ? "testErrorRate" : "bestTestErrorRate";
  const chosen = rows.filter((row) => row.method === method && row.noiseRate === noiseRate);
  return chosen.map((row) => ({ seed: row.seed, value: 1 - row[field] }));
}

/** SGD at as many gradients as SAM: the baseline, fixed before any run. */
export const SGD_BASELINE = "SGD, twice the epochs";

/** By how much a method is above its baseline at one noise rate, seed by seed, in [−1, 1]. */
export interface RateGain {
  readonly noiseRate: number;
  readonly gain: SeedMean;
}

/** Gains of a method over a baseline, at each noise rate that has records of both. */
export function gainsOver(
  rows: readonly NoiseRow[],
  { method, baseline, epoch = "last" }: { method: string; baseline: string; epoch?: EpochChoice },
): RateGain[] {
  return ratesOf(rows).flatMap((noiseRate) => {
    const [ours, theirs] = [method, baseline].map((name) => accuraciesBySeed(rows, { method: name, noiseRate }, epoch));
    return ours!.length > 0 && theirs!.length > 0 ? [{ noiseRate, gain: pairedDifference(ours!, theirs!) }] : [];
  });
}

/** Noise rates of the rows, ascending. */
export function ratesOf(rows: readonly { readonly noiseRate: number }[]): number[] {
  return [...new Set(rows.map(({ noiseRate }) => noiseRate))].sort((a, b) => a - b);
}

/** One claim for each noise rate; all share the evidence, which lists the gains. */
export function claimsByRate(
  gains: readonly RateGain[],
  { statement, evidence }: Pick<Claim, "statement" | "evidence">,
): Claim[] {
  const verdicts = verdictsOn(gains.map(({ gain }) => gain));
  return gains.map(({ noiseRate }, i) => ({ statement, evidence, where: placeOf(noiseRate), verdict: verdicts[i]! }));
}

/** "at 40 %". */
export function placeOf(noiseRate: number): string {
  return `at ${percent(noiseRate)}`;
}

/** "+4.5±0.6 points at 20 %, +12.1±0.9 points at 40 %". */
export function listGains(gains: readonly RateGain[]): string {
  return gains.map(({ noiseRate, gain }) => `${signed(gain)} points ${placeOf(noiseRate)}`).join(", ");
}

/** "+4.5±0.6", in points. */
export function signed(gain: SeedMean): string {
  return `${gain.mean >= 0 ? "+" : ""}${formatEstimate(gain, { scale: 100, decimals: 1 })}`;
}

/** "40 %". */
export function percent(noiseRate: number): string {
  return `${Math.round(100 * noiseRate)} %`;
}
