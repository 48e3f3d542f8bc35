// The last line and the exit code of `npm test`, from vitest's JSON report.

/** A file that could not be loaded has no tests to fail: it counts as one failure itself. */
function isUnloadable({ status, assertionResults }) {
  return status === "failed" && !assertionResults.some((test) => test.status === "failed");
}

/** `report` is undefined when vitest died before it wrote one. */
export function summarise(report, vitestStatus) {
  const passed = report?.numPassedTests ?? 0;
  const found = report ? report.numFailedTests + report.testResults.filter(isUnloadable).length : 1;
  // vitest also fails for errors outside any test.
  const failed = vitestStatus === 0 ? found : Math.max(found, 1);
  return {
    line: `${passed} passed, ${failed} failed`,
    exitCode: failed === 0 && passed > 0 ? 0 : 1,
  };
}
