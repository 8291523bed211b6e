import TestRunner from "jest-runner";

/** Jest's own runner, one suite after the other, whatever `--maxWorkers` says. */
export default class SerialRunner extends TestRunner {
  isSerial = true;
}
