/** The check that every figure makes of its options: known names, right types, rows that have what is drawn. */
import { checkOptions, showValue, type OptionKinds } from "../engine";
import type { FigureTitle } from "./theme";

interface FigureCheck<Options> {
  /** The function's name, which opens the message. */
  readonly what: string;
  readonly kinds: OptionKinds<Omit<Options, keyof FigureTitle>>;
  /** The option that is the list of rows. Default: "rows" where it is one of the options. */
  readonly rows?: string;
  /** Fields that no row may lack. */
  readonly fields?: readonly string[];
}

/** @throws where an option is unknown or of the wrong type, the rows are missing, or one of them lacks a field */
export function checkFigure<Options extends FigureTitle>(options: Options, check: FigureCheck<Options>): void {
  const { what, kinds, rows = "rows" in kinds ? "rows" : undefined, fields = [] } = check;
  checkOptions(options, { title: "string", subtitle: "string", ...kinds } as OptionKinds<Options>, what);
  if (rows === undefined) return;
  const list = (options as Record<string, unknown>)[rows];
  if (!Array.isArray(list)) throw new Error(`${what}: ${rows} = ${showValue(list)}: expected an array`);
  for (const [i, row] of list.entries())
    for (const field of fields)
      if ((row as Record<string, unknown> | null)?.[field] === undefined)
        throw new Error(`${what}: ${rows}[${i}] lacks ${field}: ${showValue(row)}`);
}
