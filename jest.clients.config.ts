import type { Config } from "jest";
import all, { shared } from "./jest.config.ts";

/** `npm run test:clients`: the published MCP clients of several languages; see test/clients. */
const config: Config = {
  ...shared,
  testTimeout: all.testTimeout,
  reporters: all.reporters,
  testMatch: ["<rootDir>/test/clients/**/*.test.ts"],
};

export default config;
