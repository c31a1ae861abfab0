/** The lines below a table that say what each number is. */

export interface RunFootnotes {
  readonly budget: string;
  /** seeds behind each of our numbers; several where they are not the same for all */
  readonly seeds: number | readonly number[];
  /** PaperNumbers.spread */
  readonly paperSpread?: string | null;
  /** anything else a reader must know: data, networks */
  readonly notes?: readonly string[];
}

/** The lines below a "paper | ours" table that say what each number is. */
export function runFootnotes({ budget, seeds, paperSpread, notes = [] }: RunFootnotes): string[] {
  const counts = [seeds].flat();
  const bar =
    Math.max(...counts) > 1 ? `mean ± 95 % interval (Student's t) over ${counts.join(" or ")} seeds` : "one seed, so no interval";
  const paper = paperSpread === undefined ? [] : [`paper: ${paperSpread ? `mean ± ${paperSpread}` : "no error bars given"}.`];
  return [...paper, `ours: ${bar}; budget "${budget}".`, ...notes];
}
