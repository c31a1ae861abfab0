/** `node src/setup/run.mjs <command> …`: sets up and builds what is missing, then runs dist/cli/<command>.js or a tool. */
import { existsSync } from "node:fs";
import path from "node:path";
import { engineEnvironment } from "./binding.mjs";
import { projectRoot } from "./files.mjs";
import { main, missingSteps, setUp } from "./setup.mjs";
import { runInteractive } from "./shell.mjs";

const setUpOnly = ["setup", "build"];
const attack = ["--require", "tsx/cjs", "test/attack/run.ts"];
const tools = {
  lint: ["node_modules/eslint/bin/eslint.js", "--max-warnings", "0", "."],
  format: ["node_modules/prettier/bin/prettier.cjs", "--write", "--log-level", "warn", "."],
};

// These compute nothing, so they wait for no engine.
const lightCommands = ["build", "readme", "docs"];
const lightOptions = ["--help", "-h", "--list", "--dry-run"];

await main(async () => {
  const [command = "setup", ...args] = process.argv.slice(2);
  if (command === "doctor" && !canDiagnose()) return 1;
  if (command === "doctor") return runCommand(command, args);
  // A program reads stdout.
  const print = args.includes("--json") && { print: (text) => process.stderr.write(text) };
  const engine = !(command in tools || lightCommands.includes(command) || args.some((each) => lightOptions.includes(each)));
  await setUp({
    ...{ build: !(command in tools), engine, ...print },
    ...(command === "setup" && { verbose: true, retry: true }),
  });
  if (setUpOnly.includes(command)) return 0;
  if (command === "attack") return runNode([...attack, ...args], engineEnvironment(projectRoot));
  return command in tools ? runNode([...tools[command], ...args]) : runCommand(command, args);
});

function runNode(args, env = process.env) {
  return runInteractive(process.execPath, args, { cwd: projectRoot, env });
}

function commandFile(command) {
  return path.join(projectRoot, "dist/cli", `${command}.js`);
}

function runCommand(command, args) {
  const script = commandFile(command);
  if (!existsSync(script))
    throw Object.assign(new Error(`There is no command ${command}: ${script} is missing.`), { code: "ENOENT" });
  return runNode([script, ...args], engineEnvironment(projectRoot));
}

/** The doctor installs nothing: where it cannot even start, these lines are the diagnosis. */
function canDiagnose() {
  const missing = missingSteps();
  for (const name of missing) process.stdout.write(`${name.padEnd(14)} missing or out of date\n`);
  if (existsSync(commandFile("doctor")) && !missing.includes("npm packages")) return true;
  process.stdout.write(`${"next".padEnd(14)} npm run setup   installs what is missing, and says what it needs for that\n`);
  return false;
}
