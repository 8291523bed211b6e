import { describe, expect, test } from "@jest/globals";
import { renewalCheck } from "../../../../../cli/doctor/checks/machine/renewal.ts";
import { runDoctor } from "../../../../../cli/doctor/run.ts";

describe("certificate renewal", () => {
  const report = async (status: string, tlsServer: "nginx" | "caddy" = "nginx") => {
    const checks = [renewalCheck(async () => status, "two")];
    const machine = { stack: "two", tlsServer };
    return (await runDoctor({ url: "https://edge.test", checks, machine })).checks[0];
  };

  test("passes if the last attempt succeeded", async () => {
    expect(await report("reboot:  not due\ncertificate: no problem\n")).toMatchObject({ ok: true });
  });

  test("fails with the machine's words and a command, and for a machine that does not report", async () => {
    const problem = "no certificate for edge.test from https://acme.test/dir: a disk is full. See: df -h";
    expect(await report(`certificate: ${problem}\n`)).toMatchObject({
      ok: false,
      got: problem,
      fix: expect.stringContaining(
        "npm run mcp-edge -- shell --stack two -- systemctl restart mcp-edge-cert",
      ),
    });
    expect((await report(`certificate: ${problem}\n`, "caddy"))?.fix).toMatch(/ -- mcp-edge-caddy retry$/);
    expect(await report("colour: blue\n")).toMatchObject({ ok: false });
  });
});
