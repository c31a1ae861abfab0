/** Table 4's claims: SAM against SGD, against the methods made for wrong labels, and what bootstrapping adds. */
import { estimate, estimateDifference } from "../../experiments/statistics";
import { jointVerdict, verdictOn, type Claim } from "../claims";
import { accuracies, claimsByRate, gainsOver, gainsOverSgd, listGains, placeOf, ratesOf, sgdMethods, signed } from "./accuracies";
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
  const gains = gainsOverSgd(rows);
  return claimsByRate(gains, {
    statement: "SAM beats SGD",
    evidence: `After the last epoch SAM's accuracy minus that of the better of SGD's two is ${listGains(gains)}.`,
  });
}

const isRival = (name: string) => !["SAM", "Bootstrap + SAM", "MentorMix"].includes(name);

/** SAM against every other method of the paper's table that was trained here, MentorMix aside, at each noise rate. */
export function rivalClaims(rows: readonly NoiseRow[]): Claim[] {
  const rivals = rivalsIn("paper");
  const above = aboveSam(rows, rivals);
  const evidence =
    above === ""
      ? "No other method of the paper's table is above SAM in the mean, MentorMix aside."
      : `Above SAM in the mean are, ${above}.`;
  return ratesOf(rows).flatMap((noiseRate) => {
    const sam = accuracies(rows, { method: "SAM", noiseRate });
    const others = rivals.map((method) => accuracies(rows, { method, noiseRate })).filter(({ length }) => length > 0);
    if (sam.length === 0 || others.length === 0) return [];
    const verdict = jointVerdict(others.map((other) => verdictOn(estimateDifference(sam, other))));
    return [{ statement: "plain SAM beats the other methods", where: placeOf(noiseRate), verdict, evidence }];
  });
}

/** Methods that SAM is compared with: those of the paper's table, or the extra ones. */
function rivalsIn(table: "paper" | "extra"): string[] {
  return noiseMethods
    .filter(({ name, paper }) => (paper !== undefined) === (table === "paper") && isRival(name))
    .map(({ name }) => name);
}

/** The best of the paper's methods made for wrong labels after the last epoch, MentorMix aside: its name and accuracies. */
export function bestRival(rows: readonly NoiseRow[], noiseRate: number): readonly [name: string, values: number[]] {
  const made = rivalsIn("paper").filter((name) => !sgdMethods.includes(name));
  return made
    .map((name) => [name, accuracies(rows, { method: name, noiseRate })] as const)
    .filter(([, values]) => values.length > 0)
    .reduce((a, b) => (estimate(b[1]).mean > estimate(a[1]).mean ? b : a));
}

/** "at 20 %: GCE (+1.2±0.5), SCE (+0.3±0.9); at 40 %: …", in points; "" if none is above SAM. */
function aboveSam(rows: readonly NoiseRow[], methods: readonly string[]): string {
  const byRate = ratesOf(rows).flatMap((noiseRate) => {
    const sam = accuracies(rows, { method: "SAM", noiseRate });
    const found = methods.flatMap((method) => {
      const values = accuracies(rows, { method, noiseRate });
      if (sam.length === 0 || values.length === 0) return [];
      const gain = estimateDifference(values, sam);
      return gain.mean > 0 ? [`${method} (${signed(gain)})`] : [];
    });
    return found.length === 0 ? [] : [`${placeOf(noiseRate)}: ${found.join(", ")}`];
  });
  return byRate.join("; ");
}

function bootstrapClaims(
  rows: readonly NoiseRow[],
  { name, method, base }: { name: string; method: string; base: string },
): Claim[] {
  const gains = gainsOver(rows, { method, baseline: (noiseRate) => accuracies(rows, { method: base, noiseRate }) });
  const evidence = `Bootstrapping changes the accuracy of ${name} by ${listGains(gains)}.`;
  return claimsByRate(gains, { statement: `bootstrapping helps ${name}`, evidence });
}

function mentorMixClaims(rows: readonly NoiseRow[]): Claim[] {
  const baseline = (noiseRate: number) => accuracies(rows, { method: "MentorMix", noiseRate });
  const gains = gainsOver(rows, { method: "Bootstrap + SAM", baseline });
  const evidence = `The accuracy of bootstrapped SAM minus that of MentorMix is ${listGains(gains)}.`;
  return claimsByRate(gains, { statement: "bootstrapped SAM is better than MentorMix", evidence });
}

/** The difference at the best epoch, and the extra rows above SAM. */
export function table4Remarks(rows: readonly NoiseRow[]): string[] {
  const best = gainsOverSgd(rows, "best");
  const extra = aboveSam(rows, rivalsIn("extra"));
  const atBest =
    `At each run's best epoch, which only a clean test set can tell, SAM's accuracy minus SGD's is ${listGains(best)}. ` +
    "The rest of the difference after the last epoch arose later, as wrong labels were memorized.";
  return [
    ...(best.length === 0 ? [] : [atBest]),
    extra === "" ? "None of the extra rows is above SAM." : `Of the extra rows, above SAM in the mean are, ${extra}.`,
  ];
}

/** Methods other than bootstrapped ones that are above SAM after the last epoch, beyond the seeds' noise, at every noise rate. */
export function aboveEverywhere(rows: readonly NoiseRow[]): string[] {
  const isAbove = (method: string, noiseRate: number) => {
    const [values, sam] = [method, "SAM"].map((name) => accuracies(rows, { method: name, noiseRate }));
    return values!.length > 0 && sam!.length > 0 && verdictOn(estimateDifference(values!, sam!)) === "yes";
  };
  const rivals = noiseMethods.filter(({ name, bootstrap }) => name !== "SAM" && !bootstrap);
  return rivals.map(({ name }) => name).filter((name) => ratesOf(rows).every((rate) => isAbove(name, rate)));
}
