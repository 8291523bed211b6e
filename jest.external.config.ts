import type { Config } from "jest";
import all, { shared } from "./jest.config.ts";

/** `npm run test:external`: external tools against a machine, and floods of full size; see docs/external-tests.md. */
const config: Config = {
  ...shared,
  testTimeout: all.testTimeout,
  reporters: all.reporters,
  testMatch: ["<rootDir>/test/external/**/*.test.ts"],
};

export default config;
