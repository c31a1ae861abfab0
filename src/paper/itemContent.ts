/** What the records of one item become: rows of a table, how it is headed, and a figure. */
import type { Budget } from "./item";
import type { RunRecord } from "../experiments/records";
import type { TableOptions, TableRow } from "../tables";
import type { FigureSpec } from "../plots";

export interface ItemContent {
  readonly rows: readonly TableRow[];
  readonly table: TableOptions;
  readonly figure: FigureSpec;
}

export type MakeContent = (budget: Budget, records: readonly RunRecord[]) => ItemContent;
