import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sshArguments, sshInTerminal } from "../../../cli/machine/aws-ssh.ts";
import { liftBans } from "../../../cli/machine/bans.ts";
import type { AwsMachineRef } from "../../../cli/machine/machine-ref.ts";
import { createToken } from "../../../cli/machine/tokens.ts";
import { instances, type StandIn, standIn } from "../doctor/aws/stand-in.ts";

test("a command reaches the remote shell unchanged, with any characters", () => {
  const place = { instance: "i-0aa", region: "eu-central-1", key: "/k", knownHosts: "/h" };
  const args = sshArguments(place, ["echo", "it's $HOME"]);
  expect(args.slice(-2)).toEqual(["admin@i-0aa", "exec sudo -- 'echo' 'it'\\''s $HOME'"]);
  expect(args).toContain("HostKeyAlias=i-0aa");
  expect(sshArguments(place, []).slice(-3)).toEqual(["-t", "admin@i-0aa", "exec sudo -i"]);
});

describe("sshInTerminal", () => {
  let folder = "";
  let ec2: StandIn;
  let place: AwsMachineRef;
  const path = process.env.PATH;
  const stand = async (name: string, script: string) => {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}`);
    await chmod(join(folder, name), 0o755);
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-aws-shell-"));
    ec2 = await standIn();
    ec2.answers["ec2 DescribeInstances"] = instances([10, "i-0cc"], [2, "i-0bb"], [1, "i-0aa"]);
    const endpoints = { ec2: ec2.endpoint };
    place = {
      stack: "prod",
      provider: { region: "eu-central-1", accessKey: "AKID", secretKey: "s", endpoints },
    };
    await stand("aws", `echo "$AWS_ACCESS_KEY_ID $@" >>${folder}/calls\n`);
    await stand("ssh", `echo "$@" >>${folder}/ssh.log\nexit 7\n`);
    process.env.PATH = `${folder}:${path}`;
  });
  afterAll(async () => {
    process.env.PATH = path;
    await ec2.close();
    await rm(folder, { recursive: true });
  });

  test("finds the machine by its tags, sends a new key to Instance Connect, and returns the command's exit code", async () => {
    expect(await sshInTerminal({ ...place, machine: "2" }, ["id"])).toBe(7);
    const calls = await readFile(join(folder, "calls"), "utf8");
    expect(ec2.requests).toEqual(["ec2 DescribeInstances"]);
    expect(
      calls
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("AKID ")),
    ).toEqual([]);
    expect(calls).toMatch(
      /send-ssh-public-key --instance-id i-0bb --instance-os-user admin --ssh-public-key ssh-ed25519 AAAA/,
    );
    expect(await readFile(join(folder, "ssh.log"), "utf8")).toContain(
      "open-tunnel --instance-id i-0bb --region eu-central-1",
    );
  });

  test("creates tokens with the release on the machine", async () => {
    await stand("ssh", `echo "$@" >>${folder}/ssh.log\necho '{"id":"t1","token":"secret"}'\n`);
    expect(await createToken(place, { name: "it's me" })).toMatchObject({
      id: "t1",
    });
    expect(await readFile(join(folder, "ssh.log"), "utf8")).toContain(
      "admin@i-0aa exec sudo -- '/usr/local/sbin/mcp-edge-server' 'token' 'create' '--name' 'it'\\''s me' '--json'",
    );
  });

  test("lifts a ban without a connection to the ports that are banned", async () => {
    const lifted = [{ address: "192.0.2.1", jail: "mcp-edge", since: "2026-11-21T10:00:00Z", until: null }];
    await stand("ssh", `echo "$@" >>${folder}/ssh.log\necho '${JSON.stringify(lifted)}'\n`);
    expect(await liftBans(place, "192.0.2.1")).toEqual(lifted);
    expect(await readFile(join(folder, "ssh.log"), "utf8")).toContain(
      "admin@i-0aa exec sudo -- '/usr/local/sbin/mcp-edge-bans' 'lift' '192.0.2.1'",
    );
  });
});
