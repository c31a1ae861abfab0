/** Whether a claim of the paper holds in our runs: one type, one decision and one wording for all tables and figures. */
import { holm, type SeedMean } from "../experiments/statistics";

/** "no": the seeds support the opposite. "undecided": they support neither. */
export type Verdict = "yes" | "no" | "undecided" | "one seed";

export const verdictNames = ["yes", "no", "undecided", "one seed"] as const satisfies readonly Verdict[];

/** A claim of the paper, with our verdict and its evidence. */
export interface Claim {
  /** A clause: "SAM lowers the test error". */
  readonly statement: string;
  /** The condition that it was tested in, if there are several: "at 40 % noise". */
  readonly where?: string;
  readonly verdict: Verdict;
  /** What was measured, in sentences. Claims that share one set of measurements repeat it. */
  readonly evidence: string;
  /** What the verdict is over; default: "seeds". */
  readonly units?: string;
}

/**
 * The verdicts on effects that the paper has above 0, such as the baseline's error minus SAM's under each condition of one
 * table: at 5 % for all together, by Holm's procedure.
 */
export function verdictsOn(effects: readonly SeedMean[]): Verdict[] {
  const supported = holm(effects);
  return effects.map(({ mean, interval }, i) => {
    if (interval === undefined) return "one seed";
    if (!supported[i]) return "undecided";
    return mean > 0 ? "yes" : "no";
  });
}

/** The verdict on one effect, at 5 %. */
export function verdictOn(effect: SeedMean): Verdict {
  return verdictsOn([effect])[0]!;
}

/** A footnote on how verdicts are found. */
export const verdictNote =
  "Verdicts: Student's t on the differences seed by seed, at 5 % for all conditions of a table together (Holm). ± is the 95 % interval of one alone, over seeds, not over data.";

/** The verdict on a claim that is made of several: it holds if all hold, and fails if one fails. */
export function jointVerdict(verdicts: readonly Verdict[]): Verdict {
  return (["no", "one seed", "undecided"] as const).find((verdict) => verdicts.includes(verdict)) ?? "yes";
}

/** "… 0.59±0.10 points below that of SGD. The claim that SAM lowers the test error holds." */
export function claimSentence(claim: Claim): string {
  return claimSentences([claim])[0]!;
}

/** One paragraph for each piece of evidence: what was measured, then the verdict on each statement, with its conditions. */
export function claimSentences(claims: readonly Claim[]): string[] {
  return groupBy(claims, ({ evidence }) => evidence).map((group) => {
    const statements = groupBy(group, ({ statement }) => statement);
    return [group[0]!.evidence, ...statements.map(decisions)].join(" ");
  });
}

const wordings: Readonly<Record<Verdict, (statement: string, units: string) => string>> = {
  yes: (statement) => `The claim that ${statement} holds`,
  no: (statement) => `The claim that ${statement} does not hold`,
  undecided: (statement, units) => `These ${units} do not decide whether ${statement}`,
  "one seed": (statement) => `One seed cannot decide whether ${statement}`,
};

/** Wordings for a statement that the sentence before has named. */
const laterWordings: Readonly<Record<Verdict, (units: string) => string>> = {
  yes: () => "It holds",
  no: () => "It does not hold",
  undecided: (units) => `These ${units} do not decide it`,
  "one seed": () => "One seed cannot decide it",
};

// "The claim that SAM beats SGD holds at 20 %, 40 %. It does not hold at 80 %."
function decisions(claims: readonly Claim[]): string {
  const parts = verdictNames
    .map((verdict) => ({ verdict, found: claims.filter((claim) => claim.verdict === verdict) }))
    .filter(({ found }) => found.length > 0);
  return parts
    .map(({ verdict, found }, i) => {
      const { statement, units = "seeds" } = found[0]!;
      const start = i === 0 ? wordings[verdict](statement, units) : laterWordings[verdict](units);
      return `${start}${claims.length > 1 ? placesOf(found, claims.length) : ""}.`;
    })
    .join(" ");
}

// " at 20 %, 40 %", or " in 6 of 15 comparisons" if the conditions have no names.
function placesOf(found: readonly Claim[], total: number): string {
  const places = found.flatMap(({ where }) => where ?? []);
  if (places.length === 0) return ` in ${found.length} of ${total} comparisons`;
  return ` ${places.map((place, i) => (i === 0 ? place : place.replace(/^(at|for) /, ""))).join(", ")}`;
}

/** How many claims have each verdict. */
export type ClaimCounts = Readonly<Record<Verdict, number>>;

/** How many claims have each verdict. */
export function countClaims(claims: readonly Claim[]): ClaimCounts {
  const count = (name: Verdict) => claims.filter(({ verdict }) => verdict === name).length;
  return { yes: count("yes"), no: count("no"), undecided: count("undecided"), "one seed": count("one seed") };
}

/** "yes", "yes in 2, undecided in 1"; "SAM beats SGD: yes; …" if statements and verdicts differ; "no claim" for none. */
export function describeVerdicts(claims: readonly Claim[]): string {
  if (claims.length === 0) return "no claim";
  const groups = groupBy(claims, ({ statement }) => statement);
  const agree = new Set(claims.map(({ verdict }) => verdict)).size === 1;
  if (agree || groups.length === 1) return describeCounts(countClaims(claims));
  return groups.map((group) => `${group[0]!.statement}: ${describeCounts(countClaims(group))}`).join("; ");
}

function describeCounts(counts: ClaimCounts): string {
  const present = verdictNames.filter((verdict) => counts[verdict] > 0);
  return present.length === 1 ? present[0]! : present.map((verdict) => `${verdict} in ${counts[verdict]}`).join(", ");
}

/** A claim with the item that counts it: itself, or the title of an item that shows the same runs. */
export interface SharedClaim {
  readonly claim: Claim;
  readonly countedIn?: string;
}

/** Claims to count here, and a note on those that are counted elsewhere, so that no run counts twice. */
export function countOnce(shared: readonly SharedClaim[]): { claims: Claim[]; elsewhere?: string } {
  const claims = shared.filter(({ countedIn }) => countedIn === undefined).map(({ claim }) => claim);
  const titles = shared.flatMap(({ countedIn }) => countedIn ?? []);
  if (titles.length === 0) return { claims };
  const counts = [...new Set(titles)].map((title) => `${titles.filter((each) => each === title).length} in ${title}`);
  return { claims, elsewhere: `counted elsewhere: ${counts.join(", ")}` };
}

function groupBy<T>(list: readonly T[], nameOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return [...groups.values()];
}
