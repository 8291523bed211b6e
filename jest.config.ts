import type { Config } from "jest";

/**
 * Jest runs the TypeScript as ES modules; swc only strips the types, tsc judges them (`npm run check`).
 * Tests mirror the source tree. Those under test/machine boot a real machine and need Linux with root.
 */
const config: Config = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  // Clients of other languages are installed for them: `npm run test:clients`.
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/clients/"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "es6" } },
    ],
  },
  testTimeout: 30_000,
  // Clones of repositories, this one among them, lie there.
  modulePathIgnorePatterns: ["<rootDir>/.mcp-edge/"],
  reporters: ["default", "<rootDir>/test/support/summary-reporter.js"],
};

export default config;
