/** The record of a run made in this process: `node --require tsx/cjs test/support/referenceRecord.ts CONFIG_AS_JSON`. */
import { runRecord } from "../../src/experiments/run";

runRecord(JSON.parse(process.argv[2]!)).then(
  (record) => process.stdout.write(`${JSON.stringify(record)}\n`),
  (error: Error) => process.stderr.write(error.message),
);
