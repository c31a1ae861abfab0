/** Mocha's usual report, and its counts as JSON in the file that the option `counts` names. */
const { writeFileSync } = require("node:fs");
const { Runner, reporters } = require("mocha");

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      writeFileSync(options.reporterOption.counts, JSON.stringify({ passed, failed, skipped }));
    });
  }
};
