import type { Config } from "jest";
import all, { shared } from "./jest.config.ts";

/** `npm run judge`: programs of others judge a machine, and floods of full size; see docs/judges.md. */
const config: Config = {
  ...shared,
  testTimeout: all.testTimeout,
  reporters: all.reporters,
  testMatch: ["<rootDir>/test/judges/**/*.test.ts"],
};

export default config;
