/** Table 4: accuracy on a clean test set after training with wrong labels, for SAM and for the methods made against such labels. */
import type { Budget, PaperItem } from "./item";
import { noiseMethods } from "./noiseMethods";
import { describeNoiseRuns, noisePlan, noiseRates, noiseRows, type NoiseRow } from "./noiseRuns";
import type { RunRecord } from "./records";
import { estimate, estimateDifference, formatEstimate, type SeedMean } from "./statistics";

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

/** SGD's accuracies at the number of epochs that is better after the last one, as the paper reports its baselines; with their name. */
export function betterSgd(rows: readonly NoiseRow[], noiseRate: number): { readonly method: string; readonly values: number[] } {
  const candidates = ["SGD", "SGD, twice the epochs"]
    .map((method) => ({ method, values: accuracies(rows, { method, noiseRate }) }))
    .filter(({ values }) => values.length > 0);
  return candidates.reduce((a, b) => (estimate(b.values).mean > estimate(a.values).mean ? b : a), { method: "SGD", values: [] });
}

interface RateGain {
  readonly noiseRate: number;
  readonly gain: SeedMean;
}

/** By how much SAM's accuracy is above the better SGD's, at each noise rate that has both. */
export function gainsOverSgd(rows: readonly NoiseRow[], rates: readonly number[]): RateGain[] {
  return gains(rows, rates, (noiseRate) => betterSgd(rows, noiseRate).values, "SAM");
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
    const sgd = ["SGD", "SGD, twice the epochs"].map((method) => accuracies(rows, { method, noiseRate }, "best"));
    if (sam.length === 0 || sgd.some(({ length }) => length === 0)) return [];
    const better = estimate(sgd[0]!).mean >= estimate(sgd[1]!).mean ? sgd[0]! : sgd[1]!;
    return [{ noiseRate, gain: estimateDifference(sam, better) }];
  });
  if (best.length === 0) return [];
  return [
    `At each run's best epoch, which only a clean test set tells, the same difference is ${listGains(best)}: what it is smaller than the one above, SGD loses by learning the wrong labels by heart.`,
  ];
}

const isRival = (name: string) => !/^(SGD|SAM|MentorMix|Bootstrap \+ SAM)/.test(name);

function concludeRivals(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  const [listed, extra] = [true, false].map((inPaper) =>
    noiseMethods.filter(({ name, paper }) => (paper !== undefined) === inPaper && isRival(name)).map(({ name }) => name),
  );
  const above = aboveSam(rows, rates, listed!);
  const counted = rates.some((noiseRate) => accuracies(rows, { method: "SAM", noiseRate }).length > 0);
  if (!counted) return [];
  const claim = "That plain SAM beats every method of the table that was trained here, MentorMix aside,";
  const verdict = above.length === 0 ? "replicates in the means" : "does not replicate: above it in the mean are";
  const others = aboveSam(rows, rates, extra!);
  const beyond =
    others.length === 0 ? "None of the extra rows is above SAM." : `Of the extra rows, above SAM are ${others.join("; ")}.`;
  return [`${claim} ${verdict}${above.length === 0 ? "" : ` ${above.join("; ")}`}.`, beyond];
}

/** "at 20 %: GCE (+1.2±0.5), SCE (+0.3±0.9)", for each rate where there is one. */
function aboveSam(rows: readonly NoiseRow[], rates: readonly number[], names: readonly string[]): string[] {
  return rates.flatMap((noiseRate) => {
    const sam = accuracies(rows, { method: "SAM", noiseRate });
    const found = names.flatMap((method) => {
      const values = accuracies(rows, { method, noiseRate });
      if (sam.length === 0 || values.length === 0) return [];
      const gain = estimateDifference(values, sam);
      return gain.mean > 0 ? [`${method} (${signed(gain)})`] : [];
    });
    return found.length === 0 ? [] : [`at ${percent(noiseRate)} ${found.join(", ")}`];
  });
}

function concludeBootstrap(rows: readonly NoiseRow[], rates: readonly number[]): string[] {
  const against = (method: string, base: string) =>
    gains(rows, rates, (noiseRate) => accuracies(rows, { method: base, noiseRate }), method);
  const [overSam, overMixup, overMentorMix] = [
    against("Bootstrap + SAM", "SAM"),
    against("Bootstrap + Mixup", "Mixup"),
    against("Bootstrap + SAM", "MentorMix"),
  ];
  return [
    ...(overSam!.length === 0
      ? []
      : [`Bootstrapping moves SAM by ${listGains(overSam!)}: that it helps ${verdictByRate(overSam!)}.`]),
    ...(overMixup!.length === 0
      ? []
      : [`It moves mixup by ${listGains(overMixup!)}: that it helps ${verdictByRate(overMixup!)}.`]),
    ...(overMentorMix!.length === 0
      ? []
      : [`Against MentorMix, bootstrapped SAM is ${listGains(overMentorMix!)}: ${onPar(overMentorMix!)}.`]),
  ];
}

function onPar(all: readonly RateGain[]): string {
  const named = (some: readonly RateGain[]) => some.map(({ noiseRate }) => percent(noiseRate)).join(", ");
  const behind = all.filter(({ gain }) => supported(gain) && gain.mean < 0);
  return behind.length === 0 ? "that it is at least on par is not contradicted" : `on par it is not at ${named(behind)}`;
}

const supported = ({ mean, interval }: SeedMean) => interval !== undefined && Math.abs(mean) > interval;

/** "replicates at 20 %, 40 %; does not at 80 %; is not decided by these seeds at 60 %". */
function verdictByRate(all: readonly RateGain[]): string {
  const part = (words: string, keep: (gain: SeedMean) => boolean) => {
    const found = all.filter(({ gain }) => keep(gain)).map(({ noiseRate }) => percent(noiseRate));
    return found.length === 0 ? [] : [`${words} at ${found.join(", ")}`];
  };
  return [
    ...part("replicates", (gain) => supported(gain) && gain.mean > 0),
    ...part("does not replicate", (gain) => supported(gain) && gain.mean <= 0),
    ...part("is not decided by these seeds", (gain) => !supported(gain)),
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
