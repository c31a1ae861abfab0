/** How many checks and tests passed, as the line that `npm test` ends with. */

/** What mocha's reporter wrote (undefined: it never came to its end) and its exit code, as counts. */
export function mochaCounts(stats, code) {
  const { passed, failed, skipped } = stats ?? { passed: 0, failed: 0, skipped: 0 };
  const broken = failed === 0 && (stats === undefined || code !== 0 || passed === 0);
  if (broken) process.stdout.write(`mocha broke off or ran no test (exit code ${code}).\n`);
  return { passed, failed: failed + Number(broken), skipped };
}

export function sumCounts(counts) {
  const sum = (name) => counts.reduce((total, each) => total + each[name], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
