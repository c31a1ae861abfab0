/**
 * Figure 3 right: how well m-sharpness predicts the generalization gap, for several m. Two grids of networks in the spirit of the
 * PGDL competition's Tasks 1 and 2; the conditional mutual information of measure and gap, with Kendall's τ beside it.
 */
import {
  bootstrapPValue,
  bootstrapWeights,
  informationScore,
  kendallTau,
  percentileInterval,
  type MeasuredModel,
  type PercentileInterval,
} from "../../experiments/gapPrediction";
import { countOf, describeDataset, finishedRecords } from "../../experiments/plan";
import type { RunRecord } from "../../experiments/records";
import { predictorScores, type FigureSpec, type PredictorScore } from "../../plots";
import type { TableRow } from "../../tables";
import type { Claim, Verdict } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { paperNumbers, selectNumbers } from "../numbers";
import { gridOf, gridRuns, sharpnessOf, tasks, type Task } from "./gapGrids";

/** One trained network. */
export interface GapRow {
  readonly task: Task;
  readonly hyperParameters: Readonly<Record<string, string | number>>;
  /** Training accuracy − test accuracy. */
  readonly gap: number;
  readonly trainErrorRate: number;
  readonly testErrorRate: number;
  /** m → m-sharpness. */
  readonly mSharpness: Readonly<Record<string, number>>;
}

/** Figure 3, right: m-sharpness as a predictor of the generalization gap. */
export const figure3Right: PaperItem<GapRow> = {
  id: "figure-3-right",
  title: "Figure 3, right",
  claim: "m-sharpness predicts the generalization gap, and the better the smaller m is.",
  describe,
  plan: (budget) => tasks.flatMap((task) => gridRuns(budget, task)),
  rows: figure3RightRows,
  claims: claimsOf,
  remarks: remarksOf,
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

function describe(budget: Budget): string {
  const { rho } = sharpnessOf(budget);
  const parts = tasks.map((task) => {
    const { title, base, epochs } = gridOf(budget, task);
    const counts = [...new Set(Object.values(epochs))];
    const times = counts.length === 1 ? countOf(counts[0]!, "epoch") : `${counts.join(" or ")} epochs`;
    return `Task ${task}: ${gridRuns(budget, task).length} networks (${title}) on ${describeDataset(base.dataset)}, ${times}`;
  });
  return `${parts.join("; ")}; m-sharpness at ρ = ${rho}`;
}

/** One row for each finished run. A network that diverged has no sharpness, and no row. */
export function figure3RightRows(budget: Budget, records: readonly RunRecord[]): GapRow[] {
  return tasks.flatMap((task) =>
    finishedRecords(gridRuns(budget, task), records).flatMap(({ record: { metrics }, labels }) => {
      const { mSharpness, trainErrorRate, testErrorRate } = metrics;
      if (!mSharpness || trainErrorRate === undefined || testErrorRate === undefined) return [];
      const { task: _, ...hyperParameters } = labels;
      return [{ task, hyperParameters, mSharpness, trainErrorRate, testErrorRate, gap: testErrorRate - trainErrorRate }];
    }),
  );
}

/** A score with its bootstrap interval over the models. */
interface Estimated extends PercentileInterval {
  readonly value: number;
}

interface Scores {
  readonly task: Task;
  readonly models: number;
  /** Ascending. */
  readonly ms: readonly number[];
  readonly information: readonly Estimated[];
  readonly tau: readonly Estimated[];
  /** The information at the smallest m minus that at the largest, and its p. */
  readonly fall: Estimated & { readonly p: number };
}

const known = new WeakMap<readonly GapRow[], readonly Scores[]>();

/** The scores of both tasks; found once for each list of rows, since the bootstrap takes a second. */
function scoresOf(rows: readonly GapRow[]): readonly Scores[] {
  const found = known.get(rows) ?? tasks.flatMap((task) => taskScores(task, rows.filter((row) => row.task === task))); // prettier-ignore
  known.set(rows, found);
  return found;
}

function taskScores(task: Task, rows: readonly GapRow[]): Scores[] {
  if (rows.length < 2) return [];
  const ms = Object.keys(rows[0]!.mSharpness).map(Number).sort((a, b) => a - b); // prettier-ignore
  const byM = ms.map((m) => rows.map(({ hyperParameters, gap, mSharpness }): MeasuredModel => ({ hyperParameters, gap, measure: mSharpness[m]! }))); // prettier-ignore
  const resamples = bootstrapWeights(rows.length);
  const scored = (score: typeof informationScore) =>
    byM.map(score).map((at) => ({ value: at(), samples: resamples.map((weights) => at(weights)) }));
  const information = scored(informationScore);
  const [first, last] = [information[0]!, information.at(-1)!];
  const falls = first.samples.map((value, i) => value - last.samples[i]!);
  const withInterval = ({ value, samples }: (typeof information)[number]) => ({ value, ...percentileInterval(samples) });
  return [
    {
      ...{ task, models: rows.length, ms },
      information: information.map(withInterval),
      tau: scored(kendallTau).map(withInterval),
      fall: { ...withInterval({ value: first.value - last.value, samples: falls }), p: bootstrapPValue(falls) },
    },
  ];
}

function claimsOf(rows: readonly GapRow[]): Claim[] {
  const scores = scoresOf(rows);
  const verdicts = holmVerdicts(scores.map(({ fall }) => fall));
  return scores.map(({ task, ms, information, fall, models }, i) => {
    const [small, large] = [ms[0]!, ms.at(-1)!];
    const change = `${fall.value < 0 ? "rises" : "falls"} from ${text(information[0]!)} at m = ${small} to ${text(information.at(-1)!)} at m = ${large}`;
    return {
      statement: "m-sharpness predicts the gap better at the smallest m than at the largest",
      where: `in Task ${task}`,
      verdict: verdicts[i]!,
      evidence: `Task ${task}: over ${models} networks the score ${change}, a difference of ${text(fall)} (95 % intervals of a bootstrap over the networks).`,
      units: "networks",
    };
  });
}

/** Holm's procedure at 5 % on the p of a bootstrap. */
function holmVerdicts(falls: readonly { readonly value: number; readonly p: number }[]): Verdict[] {
  const order = falls.map((_, i) => i).sort((a, b) => falls[a]!.p - falls[b]!.p);
  const firstOpen = order.findIndex((i, rank) => falls[i]!.p > 0.05 / (falls.length - rank));
  const decided = new Set(firstOpen < 0 ? order : order.slice(0, firstOpen));
  return falls.map(({ value }, i) => (!decided.has(i) ? "undecided" : value > 0 ? "yes" : "no"));
}

/** "0.123 (0.045 to 0.200)" */
function text({ value, low, high }: Estimated): string {
  const fixed = (number: number) => number.toFixed(3).replace("-", "−");
  return `${fixed(value)} (${fixed(low)} to ${fixed(high)})`;
}

/** What a reader needs to judge the scores: how well the networks fit, and how much their gaps differ. */
function remarksOf(rows: readonly GapRow[]): string[] {
  return scoresOf(rows).map(({ task, ms, tau }) => {
    const own = rows.filter((row) => row.task === task);
    const percent = (values: readonly number[]) =>
      `${(100 * Math.min(...values)).toFixed(1)} to ${(100 * Math.max(...values)).toFixed(1)}`;
    const fits = own.filter(({ trainErrorRate }) => trainErrorRate <= 0.05).length;
    return (
      `Task ${task}: the gaps are ${percent(own.map(({ gap }) => gap))} points; ${fits} of ${own.length} networks have at most 5 % training error. ` +
      `Kendall's τ is ${text(tau[0]!)} at m = ${ms[0]} and ${text(tau.at(-1)!)} at m = ${ms.at(-1)}.`
    );
  });
}

function tableOf(rows: readonly GapRow[], budget: Budget): ItemTable {
  const scores = scoresOf(rows);
  const ms = scores[0]?.ms ?? [];
  return {
    rows: ms.map((m, i) => cellsOf(m, i, scores)),
    title: "Figure 3 right: how well m-sharpness predicts the generalization gap, paper and ours",
    columns: Object.fromEntries([
      ["m", "m"],
      ...tasks.flatMap((task) => [
        [`paper${task}`, `Task ${task} · paper`],
        [`score${task}`, `Task ${task} · ours`],
        [`tau${task}`, `Task ${task} · ours, Kendall's τ`],
      ]),
    ]) as Record<string, string>,
    footnotes: [
      "paper, ours: conditional mutual information of measure and gap over the gap's entropy, the least over pairs of hyper-parameters.",
      `ours: one seed a network; in brackets 95 % intervals of a bootstrap over the networks; budget "${budget}".`,
      `${describe(budget)}.`,
    ],
  };
}

function cellsOf(m: number, i: number, scores: readonly Scores[]): TableRow {
  const cells = scores.flatMap(({ task, information, tau }) => [
    [`paper${task}`, paperScore(task, m)?.toFixed(4)],
    [`score${task}`, text(information[i]!)],
    [`tau${task}`, text(tau[i]!)],
  ]);
  return { m, ...(Object.fromEntries(cells) as TableRow) };
}

function paperScore(task: Task, m: number): number | undefined {
  return selectNumbers(paperNumbers("figure-3"), { panel: "right", task, m })[0]?.value;
}

function figureOf(rows: readonly GapRow[], budget: Budget): FigureSpec {
  return predictorScores({
    title: titleOf(claimsOf(rows)),
    subtitle: `Conditional mutual information of m-sharpness and the generalization gap, with bootstrap intervals over networks. ${describe(budget)}.`,
    rows: [...paperPoints(), ...scoresOf(rows).flatMap(ourPoints)],
  });
}

function paperPoints(): PredictorScore[] {
  return selectNumbers(paperNumbers("figure-3"), { panel: "right" }).map(({ task, m, value }) => ({
    ...{ m: Number(m), score: value, series: `Task ${task}`, panel: "paper", yTitle: "mutual information" },
  }));
}

function ourPoints({ task, ms, information, tau }: Scores): PredictorScore[] {
  const points = (scores: readonly Estimated[], panel: string, yTitle: string) =>
    scores.map(({ value, low, high }, i) => ({ m: ms[i]!, score: value, low, high, series: `Task ${task}`, panel, yTitle }));
  return [...points(information, "ours", "mutual information"), ...points(tau, "ours, Kendall's τ", "Kendall's τ")];
}

function titleOf(claims: readonly Claim[]): string {
  const verdicts = claims.map(({ verdict }) => verdict);
  if (verdicts.every((verdict) => verdict === "yes")) return "m-sharpness predicts the generalization gap better for smaller m";
  if (verdicts.every((verdict) => verdict === "no"))
    return "Here m-sharpness predicts the generalization gap worse for smaller m";
  if (verdicts.every((verdict) => verdict === "undecided"))
    return "These networks do not decide whether m-sharpness predicts better for smaller m";
  return "Whether m-sharpness predicts the generalization gap better for smaller m depends on the task here";
}

/** The score at the smallest and at the largest m. */
function summarize(rows: readonly GapRow[]): ItemSummary {
  const scores = scoresOf(rows);
  const ends = (values: readonly string[]) => values.join(" → ");
  const printed = tasks.map((task) => `Task ${task}: ${ends([1, 256].map((m) => paperScore(task, m)!.toFixed(3)))}`);
  const ours = scores.map(({ task, ms, information, models }) => {
    const [small, large] = [information[0]!, information.at(-1)!].map(({ value }) => value.toFixed(3));
    return `Task ${task}: ${small} → ${large} (m = ${ms[0]} → ${ms.at(-1)}, ${countOf(models, "network")})`;
  });
  return {
    paper: `score at m = 1 → 256, ${printed.join("; ")}`,
    ours: `${ours.join("; ")}; verdicts from a bootstrap over networks`,
    seeds: 1,
    claims: claimsOf(rows),
  };
}
