/** `node src/setup/run.mjs <command> …`: sets up and builds what is missing, then runs dist/cli/<command>.js or a tool. */
import { existsSync } from "node:fs";
import path from "node:path";
import { engineEnvironment } from "./binding.mjs";
import { projectRoot } from "./files.mjs";
import { main, setUp } from "./setup.mjs";
import { runInteractive } from "./shell.mjs";

const setUpOnly = ["setup", "build"];
const tools = {
  lint: ["node_modules/eslint/bin/eslint.js", "--max-warnings", "0", "."],
  format: ["node_modules/prettier/bin/prettier.cjs", "--write", "--log-level", "warn", "."],
};

await main(async () => {
  const [command = "setup", ...args] = process.argv.slice(2);
  // A program reads stdout.
  const print = args.includes("--json") && { print: (text) => process.stderr.write(text) };
  await setUp({ build: !(command in tools), ...(command === "setup" && { verbose: true, retry: true }), ...print });
  if (setUpOnly.includes(command)) return 0;
  return command in tools ? runNode([...tools[command], ...args]) : runCommand(command, args);
});

function runNode(args, env = process.env) {
  return runInteractive(process.execPath, args, { cwd: projectRoot, env });
}

function runCommand(command, args) {
  const script = path.join(projectRoot, "dist/cli", `${command}.js`);
  if (!existsSync(script))
    throw Object.assign(new Error(`There is no command ${command}: ${script} is missing.`), { code: "ENOENT" });
  return runNode([script, ...args], engineEnvironment(projectRoot));
}
