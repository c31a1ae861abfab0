/** Table 4's claims: SAM against SGD, against the methods made for wrong labels, and what bootstrapping adds. */
import { estimate, type SeedMean } from "../../experiments/statistics";
import { jointVerdict, verdictsOn, type Claim } from "../claims";
import { accuracies, claimsByRate, gainsOver, listGains, placeOf, ratesOf, SGD_BASELINE, signed } from "./accuracies";
import { noiseMethods } from "./methods";
import type { NoiseRow } from "./runs";

/** One claim for each noise rate and statement. */
export function table4Claims(rows: readonly NoiseRow[]): Claim[] {
  return [
    ...sgdClaims(rows),
    ...rivalClaims(rows),
    ...bootstrapClaims(rows, { name: "SAM", method: "Bootstrap + SAM", base: "SAM" }),
    ...bootstrapClaims(rows, { name: "mixup", method: "Bootstrap + Mixup", base: "Mixup" }),
    ...mentorMixClaims(rows),
  ];
}

/** SAM's accuracy after the last epoch against SGD's, at each noise rate. */
export function sgdClaims(rows: readonly NoiseRow[]): Claim[] {
  const [twice, once] = [SGD_BASELINE, "SGD"].map((baseline) => gainsOver(rows, { method: "SAM", baseline }));
  const equal = once!.length > 0 ? `; at the same epochs it is ${listGains(once!)}` : "";
  const evidence = `After the last epoch SAM's accuracy minus that of SGD at twice the epochs is ${listGains(twice!)}${equal}.`;
  return claimsByRate(twice!, { statement: "SAM beats SGD", evidence });
}

/** The methods that SAM is compared with: those of the paper's table apart from SGD and MentorMix, or the extra ones. */
function rivalsIn(table: "paper" | "extra"): string[] {
  const listed = noiseMethods.filter(({ paper }) => (paper !== undefined) === (table === "paper"));
  const others = ["sgd", "sam", "bootstrap + sam", "MentorMix"];
  return listed.filter(({ paper }) => !others.includes(paper ?? "")).map(({ name }) => name);
}

interface RivalGain {
  readonly method: string;
  readonly noiseRate: number;
  /** SAM's accuracy minus the rival's. */
  readonly gain: SeedMean;
}

function gainsOverRivals(rows: readonly NoiseRow[], rivals: readonly string[]): RivalGain[] {
  return rivals.flatMap((method) =>
    gainsOver(rows, { method: "SAM", baseline: method }).map(({ noiseRate, gain }) => ({ method, noiseRate, gain })),
  );
}

/** SAM against every other method of the paper's table that was trained here, SGD and MentorMix aside, at each noise rate. */
export function rivalClaims(rows: readonly NoiseRow[]): Claim[] {
  const all = gainsOverRivals(rows, rivalsIn("paper"));
  const verdicts = verdictsOn(all.map(({ gain }) => gain));
  const above = listAbove(all);
  const evidence =
    above === ""
      ? "No other method of the paper's table is above SAM in the mean, MentorMix aside."
      : `Above SAM in the mean are, ${above}.`;
  return ratesOf(all).map((noiseRate) => ({
    statement: "plain SAM beats the other methods",
    where: placeOf(noiseRate),
    verdict: jointVerdict(verdicts.filter((_, i) => all[i]!.noiseRate === noiseRate)),
    evidence,
  }));
}

/** "at 20 %: GCE (+1.2±0.5), SCE (+0.3±0.9); at 40 %: …", in points; "" if none is above SAM. */
function listAbove(gains: readonly RivalGain[]): string {
  const above = gains.filter(({ gain }) => gain.mean < 0);
  const byRate = ratesOf(above).map((noiseRate) => {
    const here = above.filter((each) => each.noiseRate === noiseRate);
    const listed = here.map(({ method, gain }) => `${method} (${signed({ ...gain, mean: -gain.mean })})`);
    return `${placeOf(noiseRate)}: ${listed.join(", ")}`;
  });
  return byRate.join("; ");
}

/** The best of the paper's methods made for wrong labels after the last epoch, MentorMix aside: its name and accuracies. */
export function bestRival(rows: readonly NoiseRow[], noiseRate: number): readonly [name: string, values: number[]] {
  return rivalsIn("paper")
    .map((name) => [name, accuracies(rows, { method: name, noiseRate })] as const)
    .filter(([, values]) => values.length > 0)
    .reduce((a, b) => (estimate(b[1]).mean > estimate(a[1]).mean ? b : a));
}

function bootstrapClaims(
  rows: readonly NoiseRow[],
  { name, method, base }: { name: string; method: string; base: string },
): Claim[] {
  const gains = gainsOver(rows, { method, baseline: base });
  const evidence = `Bootstrapping changes the accuracy of ${name} by ${listGains(gains)}.`;
  return claimsByRate(gains, { statement: `bootstrapping helps ${name}`, evidence });
}

function mentorMixClaims(rows: readonly NoiseRow[]): Claim[] {
  const gains = gainsOver(rows, { method: "Bootstrap + SAM", baseline: "MentorMix" });
  const evidence = `The accuracy of bootstrapped SAM minus that of MentorMix is ${listGains(gains)}.`;
  return claimsByRate(gains, { statement: "bootstrapped SAM beats MentorMix", evidence });
}

/** The difference at the best epoch, and the extra rows above SAM. */
export function table4Remarks(rows: readonly NoiseRow[]): string[] {
  const best = gainsOver(rows, { method: "SAM", baseline: SGD_BASELINE, epoch: "best" });
  const extra = listAbove(gainsOverRivals(rows, rivalsIn("extra")));
  const atBest =
    `At each run's best epoch, which only a clean test set can tell, SAM's accuracy minus SGD's is ${listGains(best)}. ` +
    "The rest of the difference after the last epoch arose later, as wrong labels were memorized.";
  return [
    ...(best.length === 0 ? [] : [atBest]),
    extra === "" ? "None of the extra rows is above SAM." : `Of the extra rows, above SAM in the mean are, ${extra}.`,
  ];
}

/** Methods other than SGD and bootstrapped ones that are above SAM after the last epoch, beyond the seeds' noise, at every noise rate. */
export function aboveEverywhere(rows: readonly NoiseRow[]): string[] {
  const rivals = noiseMethods.filter(({ name, bootstrap }) => name !== "SAM" && !bootstrap).map(({ name }) => name);
  const all = gainsOverRivals(rows, rivals);
  const verdicts = verdictsOn(all.map(({ gain }) => gain));
  return rivals.filter((name) => {
    const mine = verdicts.filter((_, i) => all[i]!.method === name);
    return mine.length === ratesOf(rows).length && mine.every((verdict) => verdict === "no");
  });
}
