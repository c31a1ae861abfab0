/** Makes runs as a process of its own; arguments: the item, the folder of its records, and the configs as JSON. */
import fs from "node:fs";
import type { RunOptions } from "../../src/experiments/config";
import { runMissing } from "../../src/experiments/runMissing";

const [item, folder, ...configs] = process.argv.slice(2) as [string, string, ...string[]];
const told = new Set<string>();
const tell = (line: string) => {
  if (!told.has(line)) console.log(line);
  told.add(line);
};

function tellOfWorkers(): void {
  const file = `/proc/${process.pid}/task/${process.pid}/children`;
  if (fs.existsSync(file)) for (const pid of fs.readFileSync(file, "utf8").split(" ").filter(Boolean)) tell(`worker ${pid}`);
}

runMissing(
  configs.map((config) => JSON.parse(config) as RunOptions),
  {
    item,
    folder,
    onProgress: ({ done, fraction }) => {
      tellOfWorkers();
      if (done > 0) tell(`${done} done`);
      if (fraction === 1) tell("all steps made");
    },
  },
).then(
  (records) => tell(`${records.length} records`),
  (error: Error) => tell(error.message),
);
