import { describe, expect, test } from "@jest/globals";
import { type Ban, bansCheck } from "../../../../../cli/doctor/checks/machine/bans.ts";
import { runDoctor } from "../../../../../cli/doctor/run.ts";

describe("bans", () => {
  const report = async (bans: Ban[] | Error, own = ["198.51.100.7", "2001:db8:0:5::7"]) => {
    const read = async () => {
      if (bans instanceof Error) throw bans;
      return bans;
    };
    const { checks } = await runDoctor({ url: "https://edge.test", checks: [bansCheck(read, () => own)] });
    return checks[0];
  };
  const ban = (address: string, jail = "mcp-edge") => ({ address, jail });

  test("pass without a ban of this host, with the command that lifts others", async () => {
    expect(await report([])).toMatchObject({ ok: true, got: "nobody is banned" });
    const others = await report([ban("192.0.2.1"), ban("203.0.113.9", "sshd")]);
    expect(others).toMatchObject({
      ok: true,
      got: "banned: 192.0.2.1 (mcp-edge), 203.0.113.9 (sshd); lift a ban with: npm run mcp-edge -- bans lift ADDRESS",
    });
    const many = await report(Array.from({ length: 300 }, (_, i) => ban(`192.0.2.${i % 250}`)));
    expect(many?.got).toContain(" and 290 more");
  });

  test.each(["198.51.100.7", "2001:db8:0:5::/64", "2001:db8:0:5::7"])(
    "fail if this host (%s) is banned",
    async (address) => {
      const result = await report([ban("192.0.2.1"), ban(address)]);
      expect(result).toMatchObject({ ok: false, got: expect.stringContaining("this host is banned") });
      expect(result?.fix).toMatch(new RegExp(`npm run mcp-edge -- bans lift ${address}$`));
    },
  );

  test("fail if fail2ban does not answer", async () => {
    const result = await report(new Error("Failed to access socket path"));
    expect(result).toMatchObject({ ok: false, got: expect.stringContaining("Failed to access socket") });
    expect(result?.fix).toContain("fail2ban.service");
  });
});
