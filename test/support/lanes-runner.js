import TestRunner from "jest-runner";

/** The display name of the project whose suites run one after the other. */
export const ALONE = "host";

/**
 * Jest's own runner in two lanes at once: the suites of the project `host` one after the other, and those of all other projects on
 * `maxWorkers` workers beside them. Jest itself starts the second project only when the first has ended, and a suite that boots guests
 * leaves the processor idle for half of its time.
 */
export default class LanesRunner extends TestRunner {
  /** @param {import("@jest/types").Config.GlobalConfig} globalConfig */
  constructor(globalConfig, context) {
    super(globalConfig, context);
    this.lane = new TestRunner({ ...globalConfig, maxWorkers: 1 }, context);
  }

  on(event, listener) {
    const unsubscribes = [super.on(event, listener), this.lane.on(event, listener)];
    return () => {
      for (const unsubscribe of unsubscribes) unsubscribe();
    };
  }

  async runTests(tests, watcher, options) {
    if (options.serial) return super.runTests(tests, watcher, options);
    const isAlone = (test) => test.context.config.displayName?.name === ALONE;
    const others = tests.filter((test) => !isAlone(test));
    const lanes = [
      [this.lane, tests.filter(isAlone)],
      [{ runTests: (...args) => super.runTests(...args) }, others],
    ];
    // A lane without suites would start workers for nothing.
    await Promise.all(
      lanes.map(([runner, suites]) => suites.length > 0 && runner.runTests(suites, watcher, options)),
    );
  }
}
