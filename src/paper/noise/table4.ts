/** Table 4: accuracy on a clean test set after training with wrong labels, for SAM and for the methods made against such labels. */
import type { Budget, PaperItem } from "../item";
import { noiseMethods } from "./methods";
import { describeNoiseRuns, noisePlan, noiseRates, noiseRows, type NoiseRow } from "./runs";
import type { RunRecord } from "../../experiments/records";
import { estimate, estimateDifference, formatEstimate, isSupported, type SeedMean } from "../../experiments/statistics";

export const table4: PaperItem = {
  id: "table-4",
  title: "Table 4",
  claim:
    "Against wrong labels SAM, with nothing added, beats every method made for them but MentorMix; bootstrapped SAM equals that.",
  describe: describeNoiseRuns,
  plan: noisePlan,
  conclusions: (budget, records) => conclude(table4Rows(budget, records), noiseRates(budget)),
};

/** One row per finished run that is reported: method, noiseRate, choice (hyper-parameters), seed, error rates in [0, 1]. */
export function table4Rows(budget: Budget, records: readonly RunRecord[]): NoiseRow[] {
  return noiseRows(budget, records);
}

/** Accuracies in [0, 1], one for each seed. */
export function accuracies(
  rows: readonly NoiseRow[],
  where: { readonly method: string; readonly noiseRate: number },
  epoch: "last" | "best" = "last",
): number[] {
  const field = epoch === "last" ? "testErrorRate" : "bestTestErrorRate";
  return rows.filter((row) => row.method === where.method && row.noiseRate === where.noiseRate).map((row) => 1 - row[field]);
}

/** SGD's accuracies at the number of epochs that is better after the last one, as the paper reports its baselines; [] without records. */
export function betterSgd(rows: readonly NoiseRow[], noiseRate: number, epoch: "last" | "best" = "last"): number[] {
  const candidates = sgdMethods
    .map((method) => accuracies(rows, { method, noiseRate }, epoch))
    .filter(({ length }) => length > 0);
  return candidates.length === 0 ? [] : candidates.reduce((a, b) => (estimate(b).mean > estimate(a).mean ? b : a));
}

const sgdMethods = ["SGD", "SGD, twice the epochs"];

interface RateGain {
  readonly noiseRate: number;
  readonly gain: SeedMean;
}

/** By how much SAM's accuracy is above the better SGD's, at each noise rate that has both. */
export function gainsOverSgd(rows: readonly NoiseRow[], rates: readonly number[]): RateGain[] {
  return gains(rows, rates, (noiseRate) => betterSgd(rows, noiseRate), "SAM");
}

function gains(
  rows: readonly NoiseRow[],
  rates: readonly number[],
  baseline: (noiseRate: number) => readonly number[],
  method: string,
): RateGain[] {
  return rates.flatMap((noiseRate) => {
    const [ours, theirs] = [accuracies(rows, { method, noiseRate }), baseline(noiseRate)];
    return ours.length > 0 && theirs.length > 0 ? [{ noiseRate, gain: estimateDifference(ours, theirs) }] : [];
  });
}

function conclude(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  return [
    ...concludeSgd(rows, rates),
    ...concludeBestEpoch(rows, rates),
    ...concludeRivals(rows, rates),
    ...concludeBootstrap(rows, rates),
  ];
}

function concludeSgd(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  const all = gainsOverSgd(rows, rates);
  if (all.length === 0) return [];
  return [
    `After the last epoch SAM's accuracy is, against the better of SGD's two, ${listGains(all)}. That SAM withstands wrong labels better than SGD ${verdictByRate(all)}.`,
  ];
}

function concludeBestEpoch(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  const best = rates.flatMap((noiseRate) => {
    const sam = accuracies(rows, { method: "SAM", noiseRate }, "best");
    const sgd = betterSgd(rows, noiseRate, "best");
    return sam.length > 0 && sgd.length > 0 ? [{ noiseRate, gain: estimateDifference(sam, sgd) }] : [];
  });
  if (best.length === 0) return [];
  return [
    `At each run's best epoch, which only a clean test set can tell, the difference is ${listGains(best)}; the rest of the difference above is what came after that epoch, as wrong labels were learned by heart.`,
  ];
}

const isRival = (name: string) => !["SAM", "Bootstrap + SAM", "MentorMix"].includes(name);

/** The best of the paper's methods made against wrong labels after the last epoch, MentorMix aside: its name and accuracies. */
export function bestRival(rows: readonly NoiseRow[], noiseRate: number): readonly [name: string, values: number[]] {
  const names = noiseMethods.filter(({ name, paper }) => paper !== undefined && isRival(name)).map(({ name }) => name);
  const made = names
    .filter((name) => !sgdMethods.includes(name))
    .map((name) => [name, accuracies(rows, { method: name, noiseRate })] as const);
  return made.filter(([, values]) => values.length > 0).reduce((a, b) => (estimate(b[1]).mean > estimate(a[1]).mean ? b : a));
}

function concludeRivals(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  if (!rows.some(({ method }) => method === "SAM")) return [];
  const [listed, extra] = [true, false].map((inPaper) => {
    const rivals = noiseMethods.filter(({ name, paper }) => (paper !== undefined) === inPaper && isRival(name));
    return aboveSam(rows, rates, rivals.map(({ name }) => name)).join("; "); // prettier-ignore
  });
  const verdict = listed === "" ? "replicates in the means" : `does not replicate: above it in the mean are, ${listed}`;
  return [
    `That plain SAM beats every other method of the paper's table that was trained here, MentorMix aside, ${verdict}.`,
    extra === "" ? "None of the extra rows is above SAM." : `Of the extra rows, above SAM in the mean are, ${extra}.`,
  ];
}

/** "at 20 %: GCE (+1.2±0.5), SCE (+0.3±0.9)", in points, for each rate where there is one. */
function aboveSam(rows: readonly NoiseRow[], rates: readonly number[], names: readonly string[]): string[] {
  return rates.flatMap((noiseRate) => {
    const sam = accuracies(rows, { method: "SAM", noiseRate });
    const found = names.flatMap((method) => {
      const values = accuracies(rows, { method, noiseRate });
      if (sam.length === 0 || values.length === 0) return [];
      const gain = estimateDifference(values, sam);
      return gain.mean > 0 ? [`${method} (${signed(gain)})`] : [];
    });
    return found.length === 0 ? [] : [`at ${percent(noiseRate)}: ${found.join(", ")}`];
  });
}

function concludeBootstrap(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  const against = (method: string, base: string) =>
    gains(rows, rates, (noiseRate) => accuracies(rows, { method: base, noiseRate }), method);
  const helps = (name: string, all: readonly RateGain[]) =>
    all.length === 0 ? [] : [`Bootstrapping moves ${name} by ${listGains(all)}: that it helps ${verdictByRate(all)}.`];
  const rival = against("Bootstrap + SAM", "MentorMix");
  return [
    ...helps("SAM", against("Bootstrap + SAM", "SAM")),
    ...helps("mixup", against("Bootstrap + Mixup", "Mixup")),
    ...(rival.length === 0 ? [] : [`Against MentorMix, bootstrapped SAM is ${listGains(rival)}: ${onPar(rival)}.`]),
  ];
}

function onPar(all: readonly RateGain[]): string {
  const named = (some: readonly RateGain[]) => some.map(({ noiseRate }) => percent(noiseRate)).join(", ");
  const behind = all.filter(({ gain }) => isSupported(gain) && gain.mean < 0);
  return behind.length === 0 ? "that it is at least on par is not contradicted" : `on par it is not at ${named(behind)}`;
}

/** "replicates at 20 %, 40 %; does not at 80 %; is not decided by these seeds at 60 %". */
function verdictByRate(all: readonly RateGain[]): string {
  const part = (words: string, keep: (gain: SeedMean) => boolean) => {
    const found = all.filter(({ gain }) => keep(gain)).map(({ noiseRate }) => percent(noiseRate));
    return found.length === 0 ? [] : [`${words} at ${found.join(", ")}`];
  };
  return [
    ...part("replicates", (gain) => isSupported(gain) && gain.mean > 0),
    ...part("does not replicate", (gain) => isSupported(gain) && gain.mean <= 0),
    ...part("is not decided by these seeds", (gain) => !isSupported(gain)),
  ].join("; ");
}

function listGains(all: readonly RateGain[]): string {
  return all.map(({ noiseRate, gain }) => `${signed(gain)} points at ${percent(noiseRate)}`).join(", ");
}

function signed(gain: SeedMean): string {
  return `${gain.mean >= 0 ? "+" : ""}${formatEstimate(gain, { scale: 100, decimals: 1 })}`;
}

/** "40 %". */
export function percent(noiseRate: number): string {
  return `${Math.round(100 * noiseRate)} %`;
}
