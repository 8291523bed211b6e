import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Store } from "../aws-double/store.ts";
import { failures, GitHub, outcomeOf } from "./github.ts";

/** What stops a rollout before anything is made: no machine boots here. */
let github: GitHub;
beforeAll(async () => {
  github = await GitHub.create({ cloud: false });
}, 120_000);
afterAll(() => github?.remove(), 60_000);

const made = () => new Store(github.aws.home).all();

test("a policy of the whole stack decides in the preview: nothing is made, and nothing is put back", async () => {
  // In dev the policies advise; as staging they decide. This one sees a rule only beside the others.
  const { checkout } = github.aws;
  await checkout.edit("Pulumi.dev.yaml", "environment: dev", "environment: staging");
  const udp = 'protocol: "udp", from: 443';
  await checkout.edit("infra/aws/firewall-rules.ts", udp, udp.replaceAll("443", "444"));
  const done = await github.deploy(await github.push("Close UDP 443"));
  expect(done.jobs).toMatchObject({
    "dev/up": "failure",
    "dev/mark": "skipped",
    staging: "skipped",
    prod: "skipped",
  });
  expect(failures(done)).toEqual([
    expect.stringMatching(/^dev\/up, preview:.*https-twins.*and not UDP 443/s),
  ]);
  for (const step of ["up", "doctor", "credentials for the rollback", "back to the last healthy commit"])
    expect(outcomeOf(done, "dev/up", step)).toBe("skipped");
  expect(made()).toEqual([]);
  expect(await github.healthy("dev")).toBe("");
}, 200_000);
