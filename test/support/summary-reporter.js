/** Ends the run with one line that a person, and a CI, can read: "123 passed, 0 failed". */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const broken = results.testResults.filter((suite) => suite.testExecError).length;
    const failed = results.numFailedTests + broken;
    const skipped = results.numPendingTests + results.numTodoTests;
    const rest = skipped > 0 ? `, ${skipped} skipped` : "";
    const line = `${results.numPassedTests} passed, ${failed} failed${rest}\n`;
    // After jest's own summary, which goes to standard error as well.
    process.once("exit", () => process.stderr.write(line));
  }
}
