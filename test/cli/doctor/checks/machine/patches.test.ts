import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { flowsCheck } from "../../../../../cli/doctor/checks/machine/flows.ts";
import { patchesCheck } from "../../../../../cli/doctor/checks/machine/patches.ts";
import { runDoctor } from "../../../../../cli/doctor/run.ts";

describe("tracked flows", () => {
  test.each([
    ["120 of 262144", true, "120 of 262144"],
    ["250000 of 262144", false, "drops every new connection"],
    ["? of ?", false, "does not say"],
  ])("%s", async (flows, ok, got) => {
    const check = flowsCheck(async () => `ready:   true\nflows:   ${flows}\nclock:   synchronised\n`, "two");
    const { checks } = await runDoctor({ url: "https://edge.test", checks: [check] });
    expect(checks[0]).toMatchObject({ ok, got: expect.stringContaining(got) });
  });
});

describe("security updates", () => {
  const report = async (status: string | Error) => {
    const read = async () => {
      if (status instanceof Error) throw status;
      return status;
    };
    const { checks } = await runDoctor({ url: "https://edge.test", checks: [patchesCheck(read, "two")] });
    return checks[0];
  };
  const status = (updates: string, reboot: string) =>
    `colour:  blue\nrelease: abc\nready:   true\nfiles:   def\nupdates: ${updates} wait\nreboot:  ${reboot}\ncertificate: no problem\n`;

  test.each([
    ["0", "not due", /^none waits; no reboot is due$/],
    [
      "3",
      "not due",
      /^3 wait; install: npm run mcp-edge -- shell --stack two -- unattended-upgrade; no reboot is due$/,
    ],
    [
      "0",
      "the kernel 6.13 is installed and 6.12 runs",
      /; a reboot is due \(the kernel 6\.13 is .* runs\); reboot: npm run mcp-edge -- shell --stack two -- systemctl reboot$/,
    ],
    ["? (not looked yet)", "not due", /look now: .* mcp-edge-patches check$/],
  ])("are reported for %s updates, reboot %s", async (updates, reboot, got) => {
    expect(await report(status(updates, reboot))).toMatchObject({
      ok: true,
      got: expect.stringMatching(got),
    });
  });

  test("fail with a command if the machine does not answer or reports none", async () => {
    for (const bad of [new Error("no such machine"), "colour: blue\n"]) {
      const result = await report(bad);
      expect(result).toMatchObject({ ok: false });
      expect(result?.fix).toContain("--stack two -- mcp-edge-deploy status");
    }
  });

  test("are parsed from the lines that the machine's script prints", () => {
    const script = readFileSync("cloud-init/deploy/mcp-edge-deploy", "utf8");
    expect(script).toContain(String.raw`updates: %s wait\nreboot:  %s\n`);
    expect(script).toContain("'? (not looked yet)'");
    expect(script).toContain("echo 'not due'");
  });
});
