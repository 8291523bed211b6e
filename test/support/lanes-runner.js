import TestRunner from "jest-runner";
import { beginTestRun, removeInterruptedRuns } from "./test-run.ts";

/** The display name of the project whose suites run one after the other. */
export const ALONE = "host";
const SIGNALS = ["SIGINT", "SIGTERM"];

/**
 * Jest's own runner in two lanes at once: the suites of the project `host` one after the other, and those of all other projects on
 * `maxWorkers` workers beside them. Jest itself starts the second project only when the first has ended, and a suite that boots guests
 * leaves the processor idle for half of its time.
 *
 * An interrupted run removes what it has started: guests, networks, mounts. The next run removes what a killed one has left.
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
    await removeInterruptedRuns(undefined, (folder) =>
      console.error(`An earlier run was interrupted: what it has left is removed (${folder})`),
    );
    const run = beginTestRun();
    const isAlone = (test) => test.context.config.displayName?.name === ALONE;
    const alone = tests.filter(isAlone);
    let interruptedBy;
    try {
      // A guest's suite runs in a worker also by itself, since a worker can be ended. A debugger needs the tests in this process.
      if (options.serial && (this._globalConfig.runInBand || alone.length === 0))
        await super.runTests(tests, watcher, options);
      else
        interruptedBy = await this.#runLanes(
          alone,
          tests.filter((test) => !isAlone(test)),
          watcher,
        );
    } finally {
      await run.end();
    }
    if (interruptedBy) process.kill(process.pid, interruptedBy);
  }

  /** @returns the signal that ended the run early, if one did */
  async #runLanes(alone, others, watcher) {
    let interruptedBy;
    const interrupt = (signal) => {
      console.error(
        "\nInterrupted: what the tests have started is removed. A second signal ends this at once.",
      );
      interruptedBy = signal;
      watcher.setState({ interrupted: true });
    };
    for (const signal of SIGNALS) process.once(signal, interrupt);
    const lanes = [
      [this.lane, alone],
      [{ runTests: (...args) => super.runTests(...args) }, others],
    ];
    const { error } = console;
    // Jest only prints it. Such a test has left something open: a timer, a process, a connection.
    console.error = (...args) => {
      if (/failed to exit gracefully/.test(args[0]) && !interruptedBy) process.exitCode = 1;
      error(...args);
    };
    // A lane without suites would start workers for nothing.
    await Promise.all(
      lanes.map(
        ([runner, suites]) => suites.length > 0 && runner.runTests(suites, watcher, { serial: false }),
      ),
    );
    console.error = error;
    for (const signal of SIGNALS) process.off(signal, interrupt);
    return interruptedBy;
  }
}
