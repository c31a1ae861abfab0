/** SAM's family on one bench: error, sharpness and gradients of each member, tuned alike. Not in the paper, which has SAM alone. */
import {
  estimate,
  formatEstimate,
  formatSize,
  pairedDifference,
  type SeedMean,
  type SeedValue,
} from "../../experiments/statistics";
import { costFrontier, inPercent, paretoFront, type CostPoint, type FigureSpec } from "../../plots";
import { runFootnotes, type TableRow } from "../../tables";
import { verdictNote, verdictsOn, type Claim, type Verdict } from "../claims";
import type { Budget, ItemSummary, ItemTable, PaperItem } from "../item";
import { BASELINE, familyMethods, isVariant, SAM_NAME, SGD_NAME } from "./methods";
import { conditionName, describeFamily, familyPlan, familyRows, methodsAt, noiseRates, trialsAt, type FamilyRow } from "./runs";

/** SAM's family: variants of SAM at equal cost. */
export const family: PaperItem<FamilyRow> = {
  id: "family",
  title: "SAM's family",
  claim: "SAM lowers the error below that of SGD with as many gradients; its variants claim more, or as much at less cost.",
  describe: describeFamily,
  plan: familyPlan,
  rows: familyRows,
  claims: claimsOf,
  remarks: (rows) => [answer(rows), frontSentence(rows)],
  table: tableOf,
  figure: figureOf,
  summary: summarize,
};

/** One method under one condition, over the seeds. */
interface Cell {
  readonly method: string;
  readonly noiseRate: number;
  readonly rows: readonly FamilyRow[];
  readonly error: SeedMean;
  readonly compute: number;
  readonly gradientsPerStep: number;
}

function cellOf(all: readonly FamilyRow[], method: string, noiseRate: number): Cell | undefined {
  const rows = all.filter((row) => row.method === method && row.noiseRate === noiseRate);
  if (rows.length === 0) return undefined;
  const meanOf = (field: "compute" | "gradientsPerStep") => estimate(rows.map((row) => row[field])).mean;
  const error = estimate(rows.map(({ testErrorRate }) => testErrorRate));
  return { method, noiseRate, rows, error, compute: meanOf("compute"), gradientsPerStep: meanOf("gradientsPerStep") };
}

/** The cells of a condition that have rows, in the table's order. */
function cellsAt(rows: readonly FamilyRow[], noiseRate: number): Cell[] {
  return familyMethods.flatMap(({ name }) => cellOf(rows, name, noiseRate) ?? []);
}

/** A method against another under one condition. */
interface Comparison {
  readonly method: string;
  readonly noiseRate: number;
  /** The other's error minus the method's: above 0, the method is better. */
  readonly gain: SeedMean;
  readonly verdict: Verdict;
}

/** Each of `methods` against `other` under each condition that has both; one family of tests for all. */
function comparisons(rows: readonly FamilyRow[], other: string, isCompared: (method: string) => boolean): Comparison[] {
  const gains = noiseRates.flatMap((noiseRate) => {
    const cells = cellsAt(rows, noiseRate);
    const baseline = cells.find(({ method }) => method === other);
    const compared = baseline ? cells.filter(({ method }) => isCompared(method)) : [];
    return compared.map((cell) => ({
      method: cell.method,
      noiseRate,
      gain: pairedDifference(errorsOf(baseline!), errorsOf(cell)),
    }));
  });
  const verdicts = verdictsOn(gains.map(({ gain }) => gain));
  return gains.map((each, i) => ({ ...each, verdict: verdicts[i]! }));
}

const errorsOf = ({ rows }: Cell): SeedValue[] => rows.map(({ seed, testErrorRate }) => ({ seed, value: testErrorRate }));
const againstSam = (rows: readonly FamilyRow[]) => comparisons(rows, SAM_NAME, isVariant);
const percent = (error: SeedMean) => formatEstimate(error, { scale: 100 });
const placeOf = (noiseRate: number) => (noiseRate === 0 ? "with clean labels" : `at ${conditionName(noiseRate)}`);

function claimsOf(rows: readonly FamilyRow[]): Claim[] {
  const evidence = (noiseRate: number) => evidenceAt(cellsAt(rows, noiseRate), noiseRate);
  const sam = comparisons(rows, BASELINE, (method) => method === SAM_NAME).map(({ noiseRate, verdict }) => ({
    statement: "SAM has a lower test error than SGD with as many gradients",
    where: placeOf(noiseRate),
    verdict,
    evidence: evidence(noiseRate),
  }));
  const members = againstSam(rows).map(({ method, noiseRate, verdict }) => ({
    statement: "the variant has a lower test error than SAM",
    where: `for ${method}`,
    verdict,
    evidence: evidence(noiseRate),
  }));
  return [...sam, ...members];
}

function evidenceAt(cells: readonly Cell[], noiseRate: number): string {
  const error = (name: string) => {
    const found = cells.find(({ method }) => method === name);
    return found ? [`${name} ${percent(found.error)} %`] : [];
  };
  const best = bestOf(cells.filter(({ method }) => isVariant(method)));
  const lowest = best ? [`the best variant, ${best.method}, ${percent(best.error)} %`] : [];
  const listed = [...error(SGD_NAME), ...error(BASELINE), ...error(SAM_NAME), ...lowest].join("; ");
  return `Test error ${placeOf(noiseRate)}: ${listed}.`;
}

function bestOf(cells: readonly Cell[]): Cell | undefined {
  return cells.reduce<Cell | undefined>((a, b) => (a && a.error.mean <= b.error.mean ? a : b), undefined);
}

/** Which one should I use? One sentence that the verdicts support. */
export function answer(rows: readonly FamilyRow[]): string {
  const versusSam = againstSam(rows);
  const question = "Which one should you use here?";
  if (versusSam.some(({ verdict }) => verdict === "one seed")) return `${question} One seed cannot decide that.`;
  const winners = methodsWith(versusSam, (verdicts) => verdicts.includes("yes") && !verdicts.includes("no"));
  const first = winners.length > 0 ? winnerClause(winners, versusSam) : plainClause(rows);
  const cheaper = cheapestEqual(rows, versusSam);
  const second = cheaper ? cheaperClause(cheaper, rows, versusSam) : "no cheaper variant is found below SGD and not above SAM";
  return `${question} ${first}; ${second}.`;
}

/** SAM where it beats SGD with as many gradients, and SGD if that is nowhere. */
function plainClause(rows: readonly FamilyRow[]): string {
  const better = comparisons(rows, BASELINE, (method) => method === SAM_NAME).filter(({ verdict }) => verdict === "yes");
  if (better.length === 0) return "SGD, since these seeds find neither SAM nor a variant below what is cheaper";
  const where = better.length < noiseRates.length ? ` ${better.map(({ noiseRate }) => placeOf(noiseRate)).join(" and ")}` : "";
  return `Plain SAM${where}, since no variant beats it beyond the noise of the seeds`;
}

/** Its cost, and how far its error is from SAM's: seeds that do not tell two errors apart do not make them equal. */
function cheaperClause(cell: Cell, rows: readonly FamilyRow[], versusSam: readonly Comparison[]): string {
  const { method, gradientsPerStep } = cell;
  const distances = versusSam
    .filter((each) => each.method === method)
    .map(
      ({ noiseRate, gain }) =>
        `${formatSize(gain, { scale: 100 })} points ${gain.mean < 0 ? "above" : "below"} SAM's ${placeOf(noiseRate)}`,
    );
  return (
    `${method} takes ${gradientsPerStep.toFixed(2)} gradients a step instead of ${samGradients(rows)} and is not found worse than SAM: ` +
    `its error is ${distances.join(" and ")}`
  );
}

function winnerClause(winners: readonly string[], versusSam: readonly Comparison[]): string {
  const described = winners.map((method) => {
    const places = versusSam.filter((each) => each.method === method && each.verdict === "yes").map(({ noiseRate }) => placeOf(noiseRate)); // prettier-ignore
    return `${method}, which beats SAM ${places.join(" and ")}`;
  });
  return described.join(", or ");
}

function methodsWith(all: readonly Comparison[], isWanted: (verdicts: readonly Verdict[]) => boolean): string[] {
  const methods = [...new Set(all.map(({ method }) => method))];
  return methods.filter((method) => isWanted(all.filter((each) => each.method === method).map(({ verdict }) => verdict)));
}

const samGradients = (rows: readonly FamilyRow[]) => cellOf(rows, SAM_NAME, 0.4)!.gradientsPerStep.toFixed(0);

/** The cheapest variant below SAM's cost that is not found worse than SAM, and is found better than SGD wherever SAM is. */
function cheapestEqual(rows: readonly FamilyRow[], versusSam: readonly Comparison[]): Cell | undefined {
  const versusSgd = comparisons(rows, SGD_NAME, (method) => method !== SGD_NAME && method !== BASELINE);
  const verdictAt = (method: string, noiseRate: number) =>
    versusSgd.find((each) => each.method === method && each.noiseRate === noiseRate)?.verdict;
  const effective = noiseRates.filter((noiseRate) => verdictAt(SAM_NAME, noiseRate) === "yes");
  const equal = methodsWith(versusSam, (verdicts) => !verdicts.includes("no")).filter(
    (method) => effective.length > 0 && effective.every((noiseRate) => verdictAt(method, noiseRate) === "yes"),
  );
  const limit = 0.9 * (cellOf(rows, SAM_NAME, 0.4)?.compute ?? 0);
  const cells = equal.flatMap((method) => cellOf(rows, method, 0.4) ?? []).filter(({ compute }) => compute < limit);
  return cells.reduce<Cell | undefined>((a, b) => (a && a.compute <= b.compute ? a : b), undefined);
}

function frontSentence(rows: readonly FamilyRow[]): string {
  const parts = noiseRates.map((noiseRate) => {
    const front = paretoFront(cellsAt(rows, noiseRate).map((cell) => ({ ...cell, cost: cell.compute, mean: cell.error.mean })));
    return `${placeOf(noiseRate)} ${front.map(({ method }) => method).join(", ")}`;
  });
  return `On the Pareto front of mean error against gradients: ${parts.join("; ")}. Means decide who stands on it, so neighbors may be ties.`;
}

function tableOf(rows: readonly FamilyRow[], budget: Budget): ItemTable {
  const versusSam = againstSam(rows);
  const fields = noiseRates.flatMap((noiseRate) => [
    [`error${noiseRate}`, `${conditionName(noiseRate)} · error`],
    [`verdict${noiseRate}`, `${conditionName(noiseRate)} · below SAM?`],
    [`lambdaMax${noiseRate}`, `${conditionName(noiseRate)} · λmax`],
    [`mSharpness${noiseRate}`, `${conditionName(noiseRate)} · m-sharpness`],
  ]);
  const columns = {
    method: "method",
    gradients: "gradients a step",
    compute: "compute (SGD = 1)",
    ...Object.fromEntries(fields),
  };
  return {
    rows: methodsAt(budget).map(({ name }) => tableRow(rows, name, versusSam)),
    title: "SAM's family: test error in per cent after the last epoch, and the sharpness of where each member ends",
    columns,
    footnotes: runFootnotes({
      budget,
      seeds: new Set(rows.map(({ seed }) => seed)).size,
      notes: [`${describeFamily(budget)}.`, ...tuningNotes(rows, budget), measureNote, ...missingNote(budget), verdictNote],
    }),
  };
}

function tableRow(rows: readonly FamilyRow[], method: string, versusSam: readonly Comparison[]): TableRow {
  const cells = noiseRates.map((noiseRate) => cellOf(rows, method, noiseRate));
  const list = (values: readonly (string | undefined)[]) => [...new Set(values.filter(Boolean))].join(" / ");
  return {
    method,
    gradients: list(cells.map((cell) => cell?.gradientsPerStep.toFixed(2))),
    compute: list(cells.map((cell) => cell?.compute.toFixed(2))),
    ...Object.assign({}, ...cells.map((cell) => cell && conditionCells(cell, versusSam))),
  } as TableRow;
}

function conditionCells({ method, noiseRate, rows, error }: Cell, versusSam: readonly Comparison[]): TableRow {
  const meanOf = (field: "lambdaMax" | "mSharpness", decimals: number) => {
    const values = rows.flatMap((row) => row[field] ?? []);
    return values.length === 0 ? undefined : formatEstimate(estimate(values), { decimals });
  };
  return {
    [`error${noiseRate}`]: percent(error),
    [`verdict${noiseRate}`]: versusSam.find((each) => each.method === method && each.noiseRate === noiseRate)?.verdict,
    [`lambdaMax${noiseRate}`]: meanOf("lambdaMax", 1),
    [`mSharpness${noiseRate}`]: meanOf("mSharpness", 3),
  };
}

const measureNote =
  "A step's gradients are counted as they are taken; a forward pass alone counts a third. Compute: gradients of the whole training. " +
  "Time depends on the machine and is not recorded. λmax and m-sharpness (m: a batch, ρ = 0.05) are those of the loss on the training labels, without L2.";

function tuningNotes(rows: readonly FamilyRow[], budget: Budget): string[] {
  const trials = trialsAt(budget);
  if (trials === 1) return ["Nothing is tuned at this budget; each method has a setting that its authors or we found elsewhere."];
  const choices = methodsAt(budget).map(({ name }) => {
    const chosen = noiseRates.map((noiseRate) => rows.find((row) => row.method === name && row.noiseRate === noiseRate)?.choice);
    return `${name}: ${[...new Set(chosen)].join(" | ")}`;
  });
  const edges = [...new Set(rows.filter(({ atEdge }) => atEdge).map(({ method }) => method))];
  const atEdge = edges.length > 0 ? [`At an end of its grid, so perhaps better outside: ${edges.join(", ")}.`] : [];
  return [
    `${trials} settings tried for each method on clean held-out images, over three seeds that are not reported; chosen (clean | 40 % noise): ${choices.join("; ")}.`,
    ...atEdge,
  ];
}

function missingNote(budget: Budget): string[] {
  const here = new Set(methodsAt(budget).map(({ name }) => name));
  const missing = familyMethods.filter(({ name }) => !here.has(name)).map(({ name }) => name);
  return missing.length > 0
    ? [`Not on this bench: ${missing.join(", ")}, which perturbs normalization layers; this network has none.`]
    : [];
}

const ownSeries = [SAM_NAME, SGD_NAME, BASELINE];

function figureOf(rows: readonly FamilyRow[], budget: Budget): FigureSpec {
  const points: CostPoint[] = noiseRates.flatMap((noiseRate) =>
    cellsAt(rows, noiseRate).map(({ method, compute, error }) => ({
      ...{ name: method, cost: compute, panel: conditionName(noiseRate), ...inPercent(error) },
      series: ownSeries.includes(method) ? method : "other methods",
    })),
  );
  return costFrontier({
    title: titleOf(rows),
    subtitle: `Test error, mean and 95 % interval, against gradients; dashed: the Pareto front of the means. ${describeFamily(budget)}.`,
    xTitle: "gradients of the training (SGD = 1)",
    rows: points,
    series: [...ownSeries, "other methods"],
  });
}

function titleOf(rows: readonly FamilyRow[]): string {
  const versusSam = againstSam(rows);
  if (versusSam.some(({ verdict }) => verdict === "one seed")) return "SAM's family: error against compute (one seed)";
  const winners = methodsWith(versusSam, (verdicts) => verdicts.includes("yes"));
  if (winners.length === 0) return "No member of the family beats SAM beyond the noise of the seeds";
  if (winners.length > 2) return `${winners.length} variants beat SAM under at least one of the two conditions`;
  return `${winners.join(" and ")} beat${winners.length === 1 ? "s" : ""} SAM under at least one of the two conditions`;
}

/** Errors at 40 % noise. */
function summarize(rows: readonly FamilyRow[]): ItemSummary {
  const cells = cellsAt(rows, 0.4);
  const text = (name: string) => percent(cells.find(({ method }) => method === name)!.error);
  const best = bestOf(cells.filter(({ method }) => isVariant(method)))!;
  return {
    paper: "no such table",
    ours: `at 40 % noise: SGD ${text(BASELINE)} (twice the epochs), SAM ${text(SAM_NAME)}, ${best.method} ${percent(best.error)} % error`,
    seeds: best.rows.length,
    claims: claimsOf(rows).slice(0, noiseRates.length),
  };
}
