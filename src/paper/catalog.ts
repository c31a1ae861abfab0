/** Every table and figure that can be reproduced, in the paper's order. No other file lists items. */
import { figure3Middle } from "./ablations/figure3Middle";
import { figure4 } from "./ablations/figure4";
import { figure5 } from "./ablations/figure5";
import { figure6 } from "./ablations/figure6";
import { figure7 } from "./ablations/figure7";
import { table11 } from "./ablations/table11";
import { table6, table7 } from "./comparison/settingsTables";
import { table1 } from "./comparison/table1";
import { table2 } from "./comparison/table2";
import { table5 } from "./comparison/table5";
import { table9 } from "./comparison/table9";
import { figure1Surfaces } from "./curvature/figure1Surfaces";
import { figure3Right } from "./curvature/figure3Right";
import { figure3Spectra } from "./curvature/figure3Spectra";
import { figure1Left } from "./figure1Left";
import { family } from "./family/family";
import { figure2 } from "./figure2";
import { table10 } from "./finetuning/table10";
import { table3 } from "./finetuning/table3";
import type { PaperItem } from "./item";
import { figureMemorization } from "./noise/figureMemorization";
import { table4 } from "./noise/table4";
import { table8 } from "./noise/table8";

/** All items, in the paper's order. */
export const catalog: readonly PaperItem[] = [
  table1,
  table2,
  table3,
  table4,
  table5,
  table6,
  table7,
  table8,
  table9,
  table10,
  table11,
  figure1Left,
  figure1Surfaces,
  figure2,
  figure3Spectra,
  figure3Middle,
  figure3Right,
  figure4,
  figure5,
  figure6,
  figure7,
  figureMemorization,
  family,
];

/** The item of this name. @throws if there is none; the error names those that there are */
export function findItem(id: string): PaperItem {
  const item = catalog.find((each) => each.id === id);
  if (!item) throw new Error(`no item "${id}"; there are ${catalog.map((each) => each.id).join(", ")}`);
  return item;
}
