/** `npm test`: sets up what is missing, then build, format, lint, types and mocha; ends with "N passed, N failed, N skipped". */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineEnvironment } from "./binding.mjs";
import { brokeOff, mochaCounts, sumCounts, summaryLine } from "./counts.mjs";
import { projectRoot, readJson } from "./files.mjs";
import { main, setUp } from "./setup.mjs";
import { runInteractive, runLong, Stopped } from "./shell.mjs";

const checks = [
  { name: "format", script: "prettier/bin/prettier.cjs", args: ["--check", "--log-level", "warn", "."], cure: "npm run format" },
  { name: "lint", script: "eslint/bin/eslint.js", args: ["--max-warnings", "0", "."] },
  { name: "types", script: "typescript/bin/tsc", args: ["-p", "test", "--noEmit"] },
];

const everyTest = "test/**/*.test.ts";

await main(async () => {
  const mochaArgs = process.argv.slice(2);
  const counts = [await setUpAndBuild()];
  // Named test files are wanted quickly, without the checks.
  if (mochaArgs.length === 0) for (const each of checks) counts.push(await check(each));
  counts.push(await mocha(mochaArgs));
  const total = sumCounts(counts);
  process.stdout.write(`${summaryLine(total)}\n`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
});

/** The build counts as one check; the others run even if it fails. */
async function setUpAndBuild() {
  await setUp({ build: false });
  try {
    await setUp();
    return { passed: 1, failed: 0, skipped: 0 };
  } catch (error) {
    if (!error.fatal || error instanceof Stopped) throw error;
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function check({ name, script, args, cure }) {
  const start = Date.now();
  const { ok, stdout, stderr } = await runLong(process.execPath, [path.join(projectRoot, "node_modules", script), ...args], {
    cwd: projectRoot,
  });
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  process.stdout.write(`  ${name.padEnd(15)} ${ok ? "passed" : "failed"} (${seconds} s)\n`);
  if (!ok) process.stdout.write(`${(stdout + stderr).trimEnd()}\n${cure ? `Cure: ${cure}\n` : ""}`);
  return { passed: Number(ok), failed: Number(!ok), skipped: 0 };
}

// Mocha adds files named here to those of its configuration, so the configuration names none.
function namesFiles(args) {
  return args.some((arg) => arg.endsWith(".ts"));
}

/** Runs mocha. Our reporter counts at the end, so that a run that breaks off is recognized. */
async function mocha(args) {
  const folder = mkdtempSync(path.join(tmpdir(), "sharpness-lab-test-"));
  try {
    const file = path.join(folder, "counts.json");
    const reporter = [
      "--reporter",
      path.join(projectRoot, "test/support/countingReporter.cjs"),
      "--reporter-option",
      `counts=${file}`,
    ];
    const script = path.join(projectRoot, "node_modules/mocha/bin/mocha.js");
    const options = { cwd: projectRoot, env: engineEnvironment(projectRoot) };
    const code = await runInteractive(
      process.execPath,
      [script, ...reporter, ...(namesFiles(args) ? args : [...args, everyTest])],
      options,
    );
    const stats = readJson(file);
    if (brokeOff(stats, code)) process.stdout.write(`mocha broke off or ran no tests (exit code ${code}).\n`);
    return mochaCounts(stats, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
