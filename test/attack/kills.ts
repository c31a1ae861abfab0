/**
 * Kills a training with SIGKILL again and again, at random moments, until it has ended in spite of that: npx tsx test/attack/kills.ts [kills]
 *
 * Each training that gets to its end must give what an uninterrupted one gives, to the last bit, and leave no partial file behind.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Rng } from "../../src/engine";
import { runScript, type Ended } from "../support/children";
import { countFrom, finish } from "./report";

const script = path.join(__dirname, "../support/killableTraining.ts");
const rng = new Rng("kills");

interface Blow {
  /** Killed after so many steps, and milliseconds. */
  readonly steps: number;
  readonly milliseconds: number;
}

/** Runs from the checkpoint until its end, or until it is killed. */
function train(checkpoint: string, blow?: Blow): Promise<Ended> {
  let steps = 0;
  return runScript(script, [checkpoint], {
    onLine: (line, child) => {
      if (line.startsWith("step") && ++steps === blow?.steps) setTimeout(() => child.kill("SIGKILL"), blow.milliseconds);
    },
  });
}

function randomBlow(): Blow {
  return { steps: 1 + Math.floor(12 * rng.uniform()), milliseconds: 30 * rng.uniform() };
}

async function main(kills: number): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kills-"));
  const problems: string[] = [];
  let [done, finished] = [0, 0];
  try {
    const expected = (await train(path.join(folder, "reference"))).lines.at(-1);
    while (done < kills) {
      const { signal, code, lines, stderr } = await train(path.join(folder, "checkpoint"), randomBlow());
      if (signal === "SIGKILL") done++;
      else if (code !== 0) problems.push(`after ${done} kills it ended with ${code}: ${stderr.slice(-200)}`);
      else {
        finished++;
        if (lines.at(-1) !== expected) problems.push(`after ${done} kills another result: ${lines.at(-1)?.slice(0, 100)}`);
        const left = fs.readdirSync(folder).filter((name) => name.endsWith(".part"));
        if (left.length > 0) problems.push(`left behind: ${left.join()}`);
        for (const name of fs.readdirSync(folder)) if (name.startsWith("checkpoint")) fs.rmSync(path.join(folder, name));
      }
      if (problems.length > 10) break;
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  const attack = `SIGKILL in training; ${finished} trainings ended all the same`;
  finish([{ attack, tries: done, failures: problems.length, example: problems[0] }]);
}

void main(countFrom(process.argv[2], 200));
