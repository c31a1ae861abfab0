/** `npm start`: sets up whatever is missing, then reproduces a table and a figure of the paper. */
import { existsSync } from "node:fs";
import path from "node:path";
import { engineEnvironment } from "./binding.mjs";
import { projectRoot } from "./files.mjs";
import { main, setUp } from "./setup.mjs";
import { runInteractive } from "./shell.mjs";

await main(async () => {
  const started = Date.now();
  const made = (await setUp()).some(({ status }) => status === "done");
  if (made) process.stdout.write(`Set up in ${Math.round((Date.now() - started) / 1000)} s.\n\n`);
  const demo = path.join(projectRoot, "dist/cli/demo.js");
  if (!existsSync(demo)) return 0;
  return runInteractive(process.execPath, [demo, ...process.argv.slice(2)], { env: engineEnvironment(projectRoot) });
});
