/** How many checks and tests passed, as the line that `npm test` ends with. */

const none = { passed: 0, failed: 0, skipped: 0 };

/** True if mocha did not reach its end (no counts), failed without a failed test, or ran no test. */
export function brokeOff(stats, code) {
  const { passed, failed } = stats ?? none;
  return failed === 0 && (stats === undefined || code !== 0 || passed === 0);
}

/** Counts from the file of mocha's reporter and from mocha's exit code; a run that broke off is a failure. */
export function mochaCounts(stats, code) {
  const { passed, failed, skipped } = stats ?? none;
  return { passed, failed: failed + Number(brokeOff(stats, code)), skipped };
}

export function sumCounts(counts) {
  const sum = (name) => counts.reduce((total, each) => total + each[name], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
