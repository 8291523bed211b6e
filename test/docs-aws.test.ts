import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { AWS_CHECKS } from "../cli/doctor/aws/checks/index.ts";
import { run } from "../infra/exec.ts";
import { policyPack } from "../infra/policy/pack.ts";

const read = (file: string) => readFileSync(file, "utf8");

describe("docs/aws-untested.md", () => {
  const rows = read("docs/aws-untested.md")
    .split("\n")
    .filter((line) => /^\| \d+ \|/.test(line))
    // A bar inside code is no column.
    .map((line) =>
      line
        .replaceAll(/`[^`]*`/g, "code")
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

  test("has of each claim the document it rests on and a check", () => {
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      expect(row).toHaveLength(4);
      for (const cell of row) expect(cell).not.toBe("");
    }
    expect(rows.map(([number]) => Number(number))).toEqual(rows.map((_, i) => i + 1));
  });

  test("marks what doctor checks, of which there is as much", () => {
    const marked = rows.filter(([, claim]) => claim?.startsWith("**doctor**"));
    // Identity is no claim; parameter and image are one line; "Deployment" is told of in the line about signatures.
    expect(marked).toHaveLength(AWS_CHECKS.length - 3);
  });
});

describe("docs/environments.md", () => {
  const text = read("docs/environments.md");

  test("names files that are there", () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = ""]) => path);
    expect(links.length).toBeGreaterThan(4);
    for (const link of links)
      expect({ link, there: existsSync(join("docs", link)) }).toEqual({ link, there: true });
  });

  test("names every variable, secret and environment that the workflows use, and no other", () => {
    const workflows = ["preview", "deploy", "deploy-stack", "drift"].map((name) =>
      read(`.github/workflows/${name}.yml`),
    );
    const used = new Set(workflows.flatMap((one) => one.match(/(?<=(vars|secrets)\.)[A-Z_]+/g) ?? []));
    const table = text.match(/(?<=^\| `)[A-Z_]+(?=` \|)/gm) ?? [];
    expect([...table].sort()).toEqual([...used].sort());
    for (const name of ["dev", "staging"]) expect(text).toContain(`\`preview-${name}\``);
    for (const name of ["dev", "staging", "prod"]) expect(text).toContain(`\`drift-${name}\``);
  });

  test("has a command for either form of the repository in the subject, and trusts one environment alone", async () => {
    const [, sed = ""] = /^(sed "s\|REPOSITORY.*) > trust\.json$/m.exec(text) ?? [];
    const [, filter = ""] = /^REPOSITORY=\$\(gh api repos\/ORG\/REPO --jq '(.*)'\)/m.exec(text) ?? [];
    const answer = JSON.stringify({ id: 5678, name: "edge", owner: { login: "acme", id: 1234 } });
    const { stdout } = await run("jq", ["--raw-output", filter], { input: answer });
    const today = stdout.trim();
    expect(today).toBe("repo:acme@1234/edge@5678");
    for (const repository of [today, "repo:acme/edge"]) {
      const filled = await run("bash", ["-c", sed], { env: { REPOSITORY: repository } });
      const [statement] = JSON.parse(filled.stdout).Statement;
      expect(statement.Principal.Federated).toContain("arn:aws:iam::111122223333:oidc-provider/");
      // StringEquals: no wildcard lets another environment, branch or repository in.
      expect(statement.Condition).toEqual({
        StringEquals: {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": `${repository}:environment:prod`,
        },
      });
    }
  });

  test("has the section that a policy sends its reader to", () => {
    const fixes = policyPack({ environment: "prod", secrets: [] }).policies.map(
      (one) => one.remediationSteps,
    );
    const sections = fixes.flatMap((fix) => fix?.match(/(?<=environments\.md, ")[^"]+/g) ?? []);
    expect(sections).toEqual(["Taking a stack down"]);
    for (const section of sections) expect(text).toContain(`## ${section}`);
  });
});

test("every command of the documents that changes a stack is held to the policies", () => {
  const files = ["README.md", "RUNBOOK.md", "docs/aws.md", "docs/environments.md"];
  const commands = files.flatMap((file) =>
    // As somebody would paste it: with options. `pulumi up` alone is the command's name.
    [...read(file).matchAll(/pulumi (?:up|preview) -[^`\n&;|#]*/g)].map(
      ([command]) => `${file}: ${command.trim()}`,
    ),
  );
  expect(commands.length).toBeGreaterThan(8);
  const free = commands.filter((command) => !command.includes("--policy-pack infra/policy"));
  // The one that takes prod's protection away, which the policy forbids.
  expect(free).toEqual(["docs/environments.md: pulumi up --stack prod"]);
});
