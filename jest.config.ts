import { availableParallelism } from "node:os";
import type { Config } from "jest";

/**
 * Jest runs the TypeScript as ES modules; swc only strips the types, tsc checks them (`npm run check`).
 * Tests mirror the source tree. Those under test/machine boot a real machine and need Linux with root.
 */
export const shared: Config = {
  testEnvironment: "node",
  runner: "<rootDir>/test/support/lanes-runner.js",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "es6" } },
    ],
  },
  // Clones of repositories, this one among them, lie there.
  modulePathIgnorePatterns: ["<rootDir>/.mcp-edge/"],
};

/**
 * Tests that boot guests or change the host's bridges and firewall: two at once would see each other. They run one after the other
 * beside all others.
 */
const HOST = [
  "test/machine/",
  "test/aws/edge.test.ts",
  "test/aws/passthrough.test.ts",
  "test/aws/pipeline.test.ts",
  "test/infra/local/",
  "test/support/test-run.test.ts",
];

const config: Config = {
  // A guard against tests that hang, not a measure: a busy machine may be ten times slower.
  testTimeout: 120_000,
  reporters: ["default", "<rootDir>/test/support/summary-reporter.js"],
  // A suite waits for other processes half of its time: two keep two cores busy.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // A worker ends by itself when nothing is open. One that has not ended after this time, milliseconds, fails the run.
  workerGracefulExitTimeout: 15_000,
  // Of tests within a suite that are marked as concurrent.
  maxConcurrency: 3,
  projects: [
    {
      ...shared,
      displayName: "host",
      testMatch: HOST.map((path) => `<rootDir>/${path.endsWith("/") ? `${path}**/*.test.ts` : path}`),
    },
    {
      ...shared,
      displayName: "units",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: [
        "/node_modules/",
        // Clients of other languages are installed for them: `npm run test:clients`.
        "<rootDir>/test/clients/",
        // Their tools are installed for them: `npm run test:external`.
        "<rootDir>/test/external/",
        ...HOST.map((folder) => `<rootDir>/${folder}`),
      ],
    },
  ],
};

export default config;
