import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Store } from "../aws-double/store.ts";
import { failures, GitHub, outcomeOf } from "./github.ts";

/** A rollout that stops before anything is created. No machine boots here. */
let github: GitHub;
beforeAll(async () => {
  github = await GitHub.create({ cloud: false });
}, 600_000);
afterAll(() => github?.remove(), 600_000);

const resources = () => new Store(github.aws.home).all();

test("a policy of the whole stack fails the preview, so that nothing is created or rolled back", async () => {
  // The policies are advisory in dev and mandatory in staging. This one needs all rules of the stack.
  const { checkout } = github.aws;
  await checkout.edit("Pulumi.dev.yaml", "environment: dev", "environment: staging");
  const udp = 'protocol: "udp", from: 443';
  await checkout.edit("infra/aws/firewall-rules.ts", udp, udp.replaceAll("443", "444"));
  const done = await github.deploy(await github.push("Close UDP 443"));
  expect(failures(done)).toEqual([
    expect.stringMatching(/^dev\/up, preview:.*https-twins.*and not UDP 443/s),
  ]);
  expect(done.jobs).toMatchObject({
    "dev/up": "failure",
    "dev/mark": "skipped",
    staging: "skipped",
    prod: "skipped",
  });
  for (const step of ["up", "doctor", "credentials for the rollback", "back to the last healthy commit"])
    expect(outcomeOf(done, "dev/up", step)).toBe("skipped");
  expect(resources()).toEqual([]);
  expect(await github.healthy("dev")).toBe("");
}, 600_000);
