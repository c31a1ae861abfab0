/** Accuracies under label noise: by method and noise rate, and by how much one method is above another. */
import { estimate, estimateDifference, formatEstimate, type SeedMean } from "../../experiments/statistics";
import { verdictOn, type Claim } from "../claims";
import type { NoiseRow } from "./runs";

/** "last": after the last epoch. "best": at each run's best epoch, which only a clean test set can tell. */
export type EpochChoice = "last" | "best";

/** Accuracies in [0, 1], one for each seed. */
export function accuracies(
  rows: readonly NoiseRow[],
  where: { readonly method: string; readonly noiseRate: number },
  epoch: EpochChoice = "last",
): number[] {
  const field = epoch === "last" ? "testErrorRate" : "bestTestErrorRate";
  return rows.filter((row) => row.method === where.method && row.noiseRate === where.noiseRate).map((row) => 1 - row[field]);
}

export const sgdMethods: readonly string[] = ["SGD", "SGD, twice the epochs"];

/** SGD's accuracies at the better number of epochs, as the paper reports its baselines; [] without records. */
export function betterSgd(rows: readonly NoiseRow[], noiseRate: number, epoch: EpochChoice = "last"): number[] {
  const candidates = sgdMethods
    .map((method) => accuracies(rows, { method, noiseRate }, epoch))
    .filter(({ length }) => length > 0);
  return candidates.length === 0 ? [] : candidates.reduce((a, b) => (estimate(b).mean > estimate(a).mean ? b : a));
}

/** By how much a method is above its baseline at one noise rate, in [−1, 1]. */
export interface RateGain {
  readonly noiseRate: number;
  readonly gain: SeedMean;
}

/** Gains of a method at each noise rate that has records of both. */
export function gainsOver(
  rows: readonly NoiseRow[],
  {
    method,
    baseline,
    epoch = "last",
  }: { method: string; baseline: (noiseRate: number) => readonly number[]; epoch?: EpochChoice },
): RateGain[] {
  return ratesOf(rows).flatMap((noiseRate) => {
    const [ours, theirs] = [accuracies(rows, { method, noiseRate }, epoch), baseline(noiseRate)];
    return ours.length > 0 && theirs.length > 0 ? [{ noiseRate, gain: estimateDifference(ours, theirs) }] : [];
  });
}

/** SAM's gains over SGD. */
export function gainsOverSgd(rows: readonly NoiseRow[], epoch: EpochChoice = "last"): RateGain[] {
  return gainsOver(rows, { method: "SAM", baseline: (noiseRate) => betterSgd(rows, noiseRate, epoch), epoch });
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
  return gains.map(({ noiseRate, gain }) => ({ statement, evidence, where: placeOf(noiseRate), verdict: verdictOn(gain) }));
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
