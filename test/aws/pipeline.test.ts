import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { Store } from "../aws-double/store.ts";
import { domainOf, failures, GitHub, outcomeOf, STACKS } from "./github.ts";

/**
 * deploy.yml as it is shipped, from an account with nothing in it to prod: its own conditions, its own shell steps, the real
 * engine, and machines that boot. Only GitHub itself is replaced. The tests run in order, since each needs the previous one.
 */
let github: GitHub;
let first = "";

const instances = () => new Store(github.aws.home).all("aws:ec2/instance:Instance");

beforeAll(async () => {
  github = await GitHub.create({ cloud: true });
}, 600_000);

afterAll(() => github?.remove(), 600_000);

/** The release that a stack's server reports. */
async function served(stack: string): Promise<string> {
  const ca = ["--cacert", github.aws.cloud?.rootsFile ?? ""];
  const { stdout } = await run("curl", [
    "-sS",
    "--max-time",
    "60",
    ...ca,
    `https://${domainOf(stack)}/readyz`,
  ]);
  return /[0-9a-f]{12,64}/.exec(stdout)?.[0] ?? `none: ${stdout}`;
}

describe("a push to main", () => {
  test("deploys from an empty account to prod, with every step successful", async () => {
    expect(new Store(github.aws.home).all()).toEqual([]);
    first = await github.push("Set up three environments");
    const done = await github.deploy(first);
    expect(failures(done)).toEqual([]);
    expect(done.jobs).toEqual({
      ci: "success",
      gate: "success",
      release: "success",
      ...Object.fromEntries(
        STACKS.flatMap((stack) => [stack, `${stack}/up`, `${stack}/mark`].map((job) => [job, "success"])),
      ),
    });
    for (const stack of STACKS) {
      expect(await github.healthy(stack)).toBe(first);
      expect(outcomeOf(done, `${stack}/up`, "back to the last healthy commit")).toBe("skipped");
    }
    expect(instances()).toHaveLength(3);
  }, 900_000);

  test("with a release that does not start rolls dev back, keeps its tag, and changes no later stack", async () => {
    const before = { served: await served("dev"), instances: instances() };
    expect(before.served).toMatch(/^[0-9a-f]{12}/);
    await github.aws.checkout.edit("server/main.ts", /^/, 'throw new Error("broken on purpose");\n');
    const bad = await github.push("Break the release");
    const done = await github.deploy(bad);
    expect(done.jobs).toMatchObject({
      "dev/up": "failure",
      "dev/mark": "skipped",
      dev: "failure",
      staging: "skipped",
      prod: "skipped",
    });
    const failed = done.steps.filter(({ outcome }) => outcome === "failure");
    expect(failed.map(({ job, step }) => `${job}: ${step}`)).toEqual(["dev/up: up"]);
    expect(failed[0]?.output).toContain("broken on purpose");
    const back = done.steps.find(({ step }) => step === "back to the last healthy commit");
    expect(back?.output).toContain(`dev failed with ${bad} and is back on ${first}`);
    expect(await github.healthy("dev")).toBe(first);
    expect({ served: await served("dev"), instances: instances() }).toEqual(before);
  }, 600_000);
});
