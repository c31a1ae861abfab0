/** Tables 4 and 8 and the memorization curves: learning with wrong labels, paper beside ours, as tables and figures. */
import { lastRows, memorizationMethods, memorizationRows, figureMemorization, type MemorizationRow } from "./figureMemorization";
import type { Budget } from "../item";
import { noiseMethods } from "./methods";
import { describeCompute, noiseRates, type NoiseRow } from "./runs";
import { paperNumbers, selectNumbers } from "../numbers";
import type { RunRecord } from "../../experiments/records";
import { estimate, estimateDifference, formatEstimate, isSupported } from "../../experiments/statistics";
import { accuracies, gainsOverSgd, percent, table4, table4Rows } from "./table4";
import { bestRow, table8, table8Rows } from "./table8";
import {
  dotIntervals,
  errorVersusRho,
  memorizationCurves,
  inPercent,
  type DotInterval,
  type MemorizationPoint,
} from "../../plots";
import type { EpochRecord } from "../../training";
import type { ItemContent } from "../itemContent";
import { runFootnotes, type TableRow } from "../../tables";

const asPercent = { scale: 100, decimals: 1 };

interface Line {
  /** as printed */
  readonly name: string;
  /** in data/paper/table-4.json */
  readonly paper?: string;
  /** of noiseMethods; absent where it was not trained here */
  readonly method?: string;
}

/** The paper's rows in its order, ours beside them, then ours that it does not have. */
function table4Lines(): Line[] {
  const printed = [...new Set(paperNumbers("table-4").rows.map(({ method }) => String(method)))];
  const listed = printed.flatMap((paper) => {
    const ours = noiseMethods.filter((method) => method.paper === paper);
    return ours.length === 0 ? [{ name: paper, paper }] : ours.map(({ name }) => ({ name, paper, method: name }));
  });
  const extra = noiseMethods.filter(({ paper }) => paper === undefined);
  return [...listed, ...extra.map(({ name }) => ({ name: `${name}, extra`, method: name }))];
}

/** Accuracy by method and noise rate: the paper's, ours after the last epoch, ours at the best. */
export function table4Content(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const runs = table4Rows(budget, records);
  const rates = noiseRates(budget);
  const lines = table4Lines();
  const rows = lines.map((line) => ({
    method: line.name,
    ...Object.fromEntries(rates.flatMap((rate) => table4Cells(line, rate, runs))),
  }));
  const columns = rates.flatMap((rate) => [
    [`paper${rate}`, `${percent(rate)} · paper`],
    [`last${rate}`, `${percent(rate)} · ours, last epoch`],
    [`best${rate}`, `${percent(rate)} · ours, best epoch`],
  ]);
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  return {
    rows,
    table: {
      title:
        "Table 4: accuracy in per cent on clean test images after training with wrong labels. Paper: CIFAR-10; ours: as below",
      columns: { method: "method", ...Object.fromEntries(columns) },
      strong: (row, field) => field.startsWith("last") && row[field] === highest(rows, field),
      footnotes: runFootnotes({
        budget,
        seeds,
        paperSpread: paperNumbers("table-4").spread,
        notes: [
          `${table4.describe(budget)}.`,
          `Compute: ${describeCompute(budget)}.`,
          ...choices(runs),
          toldTheRate,
          ...marks(lines),
        ],
      }),
    },
    figure: table4Figure(budget, runs, lines),
  };
}

function table4Cells({ paper, method }: Line, noiseRate: number, runs: readonly NoiseRow[]): [string, string | undefined][] {
  const [printed] = paper === undefined ? [] : selectNumbers(paperNumbers("table-4"), { method: paper, noiseRate });
  const ours = (epoch: "last" | "best") => {
    const values = method === undefined ? [] : accuracies(runs, { method, noiseRate }, epoch);
    return values.length === 0 ? undefined : formatEstimate(estimate(values), asPercent);
  };
  return [
    [`paper${noiseRate}`, printed?.value.toFixed(1)],
    [`last${noiseRate}`, ours("last")],
    [`best${noiseRate}`, ours("best")],
  ];
}

function highest(rows: readonly TableRow[], field: string): string | undefined {
  return textsOf(rows, field).reduce<string | undefined>((a, b) => (a && parseFloat(a) >= parseFloat(b) ? a : b), undefined);
}

/** "SAM: ρ 0.2, ρ 0.2, ρ 0.1", or one value where it is the same at each noise rate: a note, so that the table stays readable. */
function choices(runs: readonly NoiseRow[]): string[] {
  const listed = noiseMethods.flatMap(({ name }) => {
    const mine = runs.filter((row) => row.method === name && row.choice !== "");
    const byRate = [...new Map(mine.map(({ noiseRate, choice }) => [noiseRate, choice])).values()];
    if (byRate.length === 0) return [];
    return [`${name}: ${new Set(byRate).size === 1 ? byRate[0] : byRate.join(" | ")}`];
  });
  return listed.length === 0 ? [] : [`Chosen on clean held-out images, by noise rate where it differs: ${listed.join("; ")}.`];
}

const toldTheRate =
  "Told the noise rate: forward correction, co-teaching, and MentorMix by its authors' settings for each rate; the others are not.";

function marks(lines: readonly Line[]): string[] {
  const missing = lines.filter(({ method }) => method === undefined).map(({ name }) => name);
  return [
    `Bold: the highest after the last epoch. Extra: not in the paper's table. With the paper's number alone: ${missing.join(", ")}.`,
  ];
}

function table4Figure(budget: Budget, runs: readonly NoiseRow[], lines: readonly Line[]) {
  const rates = noiseRates(budget);
  const points: DotInterval[] = rates.flatMap((noiseRate) =>
    lines.flatMap(({ name, method }) =>
      (["last", "best"] as const).flatMap((epoch) => {
        const values = method === undefined ? [] : accuracies(runs, { method, noiseRate }, epoch);
        const place = { row: name, series: `${epoch} epoch`, panel: `${percent(noiseRate)} noise` };
        return values.length === 0 ? [] : [{ ...place, ...inPercent(estimate(values)) }];
      }),
    ),
  );
  return dotIntervals({
    title: titleOfTable4(runs, rates),
    subtitle: `Accuracy on clean test images, mean and 95 % interval. ${table4.describe(budget)}.`,
    xTitle: "accuracy (%)",
    panelWidth: rates.length > 2 ? 165 : 270,
    rows: points,
  });
}

function titleOfTable4(runs: readonly NoiseRow[], rates: readonly number[]): string {
  const all = gainsOverSgd(runs, rates);
  // One seed has no interval: what it shows is told as such.
  const wins = all.filter(({ gain }) => gain.mean > 0 && (gain.interval === undefined || isSupported(gain)));
  if (wins.length === 0) return "Here SAM does not beat SGD after training with wrong labels";
  const where = wins.length === all.length ? "" : ` at ${wins.map(({ noiseRate }) => percent(noiseRate)).join(", ")} noise`;
  const better = aboveEverywhere(runs, rates);
  const seeds = wins.some(({ gain }) => gain.interval === undefined) ? " (one seed)" : "";
  const more = better.length === 0 ? "" : `; ${better.join(" and ")} keep${better.length === 1 ? "s" : ""} more`;
  return `Trained on wrong labels to the end, SAM keeps accuracy that SGD loses${where}${seeds}${more}`;
}

/** Methods other than bootstrapped ones that are above SAM after the last epoch, beyond the seeds' noise, at every noise rate. */
function aboveEverywhere(runs: readonly NoiseRow[], rates: readonly number[]): string[] {
  const isAbove = (method: string, noiseRate: number) => {
    const [values, sam] = [method, "SAM"].map((name) => accuracies(runs, { method: name, noiseRate }));
    if (!values?.length || !sam?.length) return false;
    const gain = estimateDifference(values, sam);
    return isSupported(gain) && gain.mean > 0;
  };
  const rivals = noiseMethods.filter(({ name, bootstrap }) => name !== "SAM" && !bootstrap);
  return rivals.map(({ name }) => name).filter((name) => rates.every((rate) => isAbove(name, rate)));
}

/** Error on clean held-out images by ρ and noise rate, the paper's and ours, with one seed. */
export function table8Content(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const runs = table8Rows(budget, records);
  const numbers = paperNumbers("table-8");
  const rates = noiseRates(budget);
  const rhos = [...new Set([...numbers.rows.map(({ rho }) => Number(rho)), ...runs.map(({ rho }) => rho)])].sort((a, b) => a - b);
  const rows = rhos.map((rho) => ({
    rho,
    ...Object.fromEntries(
      rates.flatMap((noiseRate) => {
        const ours = runs.find((row) => row.rho === rho && row.noiseRate === noiseRate);
        const [printed] = selectNumbers(numbers, { rho, noiseRate });
        return [
          [`paper${noiseRate}`, printed?.value.toFixed(1)],
          [`ours${noiseRate}`, ours && (100 * ours.testErrorRate).toFixed(1)],
        ];
      }),
    ),
  }));
  const columns = rates.flatMap((rate) => [
    [`paper${rate}`, `${percent(rate)} · paper`],
    [`ours${rate}`, `${percent(rate)} · ours`],
  ]);
  return {
    rows,
    table: {
      title:
        "Table 8: error of bootstrapped SAM in per cent on clean validation images, by ρ and noise rate. Paper: CIFAR-10; ours: as below",
      columns: { rho: "ρ", ...Object.fromEntries(columns) },
      strong: (row, field) => (field.startsWith("paper") || field.startsWith("ours")) && row[field] === lowest(rows, field),
      footnotes: runFootnotes({
        budget,
        seeds: 1,
        paperSpread: numbers.spread,
        notes: [`${table8.describe(budget)}.`, "Bold: the lowest of its column."],
      }),
    },
    figure: table8Figure(budget, runs),
  };
}

function lowest(rows: readonly TableRow[], field: string): string | undefined {
  return textsOf(rows, field).reduce<string | undefined>((a, b) => (a && Number(a) <= Number(b) ? a : b), undefined);
}

function textsOf(rows: readonly TableRow[], field: string): string[] {
  return rows.flatMap((row) => {
    const cell = row[field];
    return typeof cell === "string" ? [cell] : [];
  });
}

function table8Figure(budget: Budget, runs: ReturnType<typeof table8Rows>) {
  const rates = noiseRates(budget);
  const paper = paperNumbers("table-8").rows.map(({ rho, noiseRate, value }) => ({
    rho: Number(rho),
    series: Math.round(100 * Number(noiseRate)),
    mean: value,
  }));
  const bests = rates.flatMap((noiseRate) => bestRow(runs, noiseRate) ?? []);
  const listed = bests.map(({ noiseRate, rho }) => `${rho} at ${percent(noiseRate)}`).join(", ");
  return errorVersusRho({
    title: `Bootstrapped SAM errs least at ρ = ${listed} noise`,
    subtitle: `Error on clean validation images against ρ. Paper: CIFAR-10, ResNet-32. Ours: ${table8.describe(budget)}.`,
    seriesTitle: "noise (%)",
    yTitle: "validation error (%)",
    rows: runs.map(({ rho, noiseRate, testErrorRate }) => ({
      rho,
      series: Math.round(100 * noiseRate),
      mean: 100 * testErrorRate,
    })),
    paper: paper.filter(({ series }) => rates.some((rate) => Math.round(100 * rate) === series)),
  });
}

const measureOf = {
  "clean test accuracy": "testAccuracy",
  "flipped labels reproduced": "flippedFitted",
  "true class predicted instead": "flippedCorrected",
  "clean labels reproduced": "cleanFitted",
} as const;

type Measure = keyof typeof measureOf;

/** What SGD and SAM have made of their labels by the last epoch, and the curves along training. */
export function memorizationContent(budget: Budget, records: readonly RunRecord[]): ItemContent {
  const all = memorizationRows(budget, records);
  const rates = noiseRates(budget);
  const last = lastRows(all);
  const cells = (method: string, noiseRate: number) => {
    const mine = last.filter((row) => row.method === method && row.noiseRate === noiseRate);
    const fields = Object.entries(measureOf).map(([measure, field]) => [field, share(mine, measure as Measure)]);
    return { noise: percent(noiseRate), method: nameOf(method, mine), ...Object.fromEntries(fields) };
  };
  const seeds = new Set(all.map(({ seed }) => seed)).size;
  return {
    rows: rates.flatMap((noiseRate) => memorizationMethods.map((method) => cells(method, noiseRate))),
    table: {
      title: "What is left of wrong labels after the last epoch, in per cent",
      columns: {
        noise: "noise",
        method: "method",
        ...Object.fromEntries(Object.entries(measureOf).map(([name, field]) => [field, name])),
      },
      footnotes: runFootnotes({
        budget,
        seeds,
        notes: [
          "The paper has no such figure.",
          `${figureMemorization.describe(budget)}. SGD: the same epochs, half the gradients.`,
        ],
      }),
    },
    figure: memorizationCurves({
      title: titleOfMemorization(last, rates),
      subtitle: `In per cent, mean and 95 % interval. ${figureMemorization.describe(budget)}.`,
      rows: averagedPoints(all, rates),
    }),
  };
}

function nameOf(method: string, rows: readonly MemorizationRow[]): string {
  const choice = rows[0]?.choice ?? "";
  return choice === "" ? method : `${method}, ${choice}`;
}

function share(rows: readonly MemorizationRow[], measure: Measure): string | undefined {
  const values = rows.flatMap((row) => row[measureOf[measure]] ?? []);
  return values.length === 0 ? undefined : formatEstimate(estimate(values), asPercent);
}

function averagedPoints(rows: readonly MemorizationRow[], rates: readonly number[]): MemorizationPoint[] {
  const measures = Object.keys(measureOf) as Measure[];
  const epochs = [...new Set(rows.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  return rates.flatMap((noiseRate) =>
    measures.flatMap((measure) =>
      memorizationMethods.flatMap((method) =>
        epochs.flatMap((epoch) => {
          const here = rows.filter((row) => row.noiseRate === noiseRate && row.method === method && row.epoch === epoch);
          const values = here.flatMap((row) => row[measureOf[measure]] ?? []);
          const place = { epoch, method, measure, noise: `${percent(noiseRate)} noise` };
          return values.length === 0 ? [] : [{ ...place, ...inPercent(estimate(values)) }];
        }),
      ),
    ),
  );
}

function titleOfMemorization(last: readonly MemorizationRow[], rates: readonly number[]): string {
  const fitted = (method: string, noiseRate: number) =>
    estimate(last.filter((row) => row.method === method && row.noiseRate === noiseRate).map((row) => row.flippedFitted ?? 0))
      .mean;
  const less = rates.filter((rate) => fitted("SAM", rate) < fitted("SGD", rate));
  if (less.length === 0) return "Here SAM learns as many wrong labels by heart as SGD";
  return `SGD learns wrong labels by heart, SAM ${less.length === rates.length ? "" : "at some noise rates "}far fewer of them`;
}

/** One run's evaluated epochs as points of `memorizationCurves`. The run needs label noise, and `trackTraining` for what is fitted. */
export function memorizationPoints(method: string, history: readonly EpochRecord[]): MemorizationPoint[] {
  return Object.entries(measureOf).flatMap(([measure, field]) =>
    history.flatMap(({ epoch, testErrorRate, memorization }) => {
      const value =
        field === "testAccuracy" ? (testErrorRate === undefined ? undefined : 1 - testErrorRate) : memorization?.[field];
      return value === undefined ? [] : [{ epoch, method, measure: measure as Measure, mean: 100 * value }];
    }),
  );
}
