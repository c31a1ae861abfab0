/** Lines below a table that explain its numbers. */
import { checkOptions } from "../engine";

/** What the footnotes of a table of runs tell. */
export interface RunFootnotes {
  readonly budget: string;
  /** Seeds behind each of our numbers; several counts if the numbers differ in it. */
  readonly seeds: number | readonly number[];
  /** The meaning of the paper's ±, from PaperNumbers.spread; null if it gives no error bars. */
  readonly paperSpread?: string | null;
  /** Anything else that a reader must know: data, networks. */
  readonly notes?: readonly string[];
}

/** Lines below a "paper | ours" table: the meaning of each ±, the budget, the number of seeds. */
export function runFootnotes(options: RunFootnotes): string[] {
  const kinds = { budget: "string", seeds: { types: ["number", "array"] }, paperSpread: "any", notes: "array" } as const;
  checkOptions(options, kinds, "runFootnotes");
  const { budget, seeds, paperSpread, notes = [] } = options;
  const counts = [seeds].flat();
  const bar =
    Math.max(...counts) > 1 ? `mean ± 95 % interval (Student's t) over ${counts.join(" or ")} seeds` : "one seed, so no interval";
  const paper = paperSpread === undefined ? [] : [`paper: ${paperSpread ? `mean ± ${paperSpread}` : "no error bars given"}.`];
  return [...paper, `ours: ${bar}; budget "${budget}".`, ...notes];
}
