import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { CommanderError } from "commander";
import { commandsIn, describeFailure } from "../../cli/failure.ts";
import { EngineError } from "../../cli/stack/engine-events.ts";
import { UnsupportedHostError } from "../../infra/local/host.ts";
import { SettingsError } from "../../infra/settings/errors.ts";

const HELP = "mcp-edge up --help";

describe("the commands of a message", () => {
  test.each<[string, string[]]>([
    ["Stack local is not up on this host. Bring it up: npm run up", ["npm run up"]],
    [
      'mcp-edge:rateLimit is "abc"; fix: pulumi config set mcp-edge:rateLimit 50 --stack local (Pulumi.local.yaml), or npm run up -- --set rateLimit=50',
      ["pulumi config set mcp-edge:rateLimit 50 --stack local", "npm run up -- --set rateLimit=50"],
    ],
    [
      "fix: pulumi config set --path 'mcp-edge:grants[0].who' 'a; b, c (d)' --stack prod (Pulumi.prod.yaml)",
      ["pulumi config set --path 'mcp-edge:grants[0].who' 'a; b, c (d)' --stack prod"],
    ],
    [
      "use `sudo npm run up`, or `npm run dev` runs the MCP server alone.",
      ["sudo npm run up", "npm run dev"],
    ],
    [
      "Set MCP_EDGE_TOKEN to a token (mcp-edge token create --name ci). It is not an option",
      ["mcp-edge token create --name ci"],
    ],
    [
      "This needs the AWS CLI, signed in: aws sts get-caller-identity\nsecond line",
      ["aws sts get-caller-identity"],
    ],
    ["The machine mcp-edge of pulumi and npm is gone", []],
  ])("%s", (message, commands) => expect(commandsIn(message)).toEqual(commands));
});

describe("a failure as JSON", () => {
  test.each([
    [new UnsupportedHostError("x"), "unsupported_host"],
    [new EngineError("x"), "engine"],
    [new Error("x"), "failed"],
    [Object.assign(new Error("x"), { name: "CredentialsProviderError" }), "credentials_provider"],
    [new CommanderError(1, "commander.unknownOption", "error: x"), "usage"],
  ])("has the code of its kind: %s", (error, code) =>
    expect(describeFailure(error, HELP).error).toMatchObject({ code, message: "x" }),
  );

  test("names the help for a wrong command line, and each problem of the settings", () => {
    const usage = new CommanderError(1, "commander.help", "(outputHelp)");
    expect(describeFailure(usage, HELP)).toEqual({
      error: { code: "usage", message: "A subcommand is missing.", commands: [HELP] },
    });
    const problems = ["a is wrong; fix: pulumi config set a 1", "b is wrong; fix: pulumi config rm b"];
    expect(describeFailure(new SettingsError("local", problems), HELP).error).toMatchObject({
      code: "settings",
      problems,
      commands: ["pulumi config set a 1", "pulumi config rm b"],
    });
  });

  test.each<[string[], number, object]>([
    [
      ["status", "--stack", "none", "--json"],
      1,
      { code: "failed", commands: ["npm run up -- --stack none"] },
    ],
    [["doctor", "http://x", "--json"], 2, { code: "usage", commands: ["mcp-edge doctor --help"] }],
    [
      ["token", "create", "--ttl", "x", "--json"],
      1,
      { code: "usage", commands: ["mcp-edge token create --help"] },
    ],
    [["preview", "--set", "rateLimit=x", "--json"], 1, { code: "settings" }],
  ])(
    "is printed by the program, with its exit code and the text for people: %s",
    async (args, code, error) => {
      const ended = await program(args);
      expect(ended.code).toBe(code);
      expect(JSON.parse(ended.stdout)).toMatchObject({ error });
      expect(ended.stderr).toMatch(/^(error|mcp-edge): /m);
    },
  );

  test("is text alone without --json", async () =>
    expect(await program(["connect", "--stack", "none"])).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^mcp-edge: Stack none is not up on this host/),
    }));
});

function program(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = join(import.meta.dirname, "../../cli/main.ts");
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
