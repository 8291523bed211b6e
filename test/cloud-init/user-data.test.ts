import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { awsUserData } from "../../cloud-init/aws-user-data.ts";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { gzipUserData, USER_DATA_LIMIT, userData } from "../../cloud-init/user-data.ts";
import { AROUND, RELEASE, SETTINGS } from "./fixture.ts";

describe("userData", () => {
  const document = userData(SETTINGS, RELEASE);
  const body = JSON.parse(document.slice(document.indexOf("\n")));

  test("is #cloud-config, writes all files, runs one script and uses no packages module", () => {
    expect(document.startsWith("#cloud-config\n{")).toBe(true);
    expect(Object.keys(body)).toEqual(["write_files", "no_ssh_fingerprints", "ssh", "runcmd"]);
    expect(body.runcmd).toEqual([["/usr/local/sbin/mcp-edge-setup"]]);
    const expected = machineFiles(SETTINGS).map(({ path, content, mode }) => ({
      path,
      content,
      permissions: mode,
    }));
    expect(body.write_files.slice(0, -1)).toEqual(expected);
  });

  test("has the first release", () => {
    expect(body.write_files.at(-1)).toEqual({
      path: "/etc/mcp-edge/release",
      content: `${RELEASE}\n`,
      permissions: "0644",
    });
    expect(userData(SETTINGS, "")).toContain('"/etc/mcp-edge/release"');
  });

  test("refuses a release that is not a sha256", () => {
    expect(() => userData(SETTINGS, "latest")).toThrow('The release is "latest", not a sha256');
  });

  test("is far below EC2's limit for a machine on AWS", () => {
    const around = awsUserData(AROUND);
    const packed = gzipUserData(around);
    expect(USER_DATA_LIMIT).toBe(16_384);
    expect(packed.length).toBeLessThan(USER_DATA_LIMIT - 1_000);
    expect(gunzipSync(packed).toString()).toBe(around);
  });

  test("may have any size for the local machine", () => {
    const long = `#cloud-config\n${randomBytes(USER_DATA_LIMIT).toString("base64")}`;
    expect(gunzipSync(gzipUserData(long, Number.POSITIVE_INFINITY)).toString()).toBe(long);
  });

  test("is refused above the limit, with the excess and a fix", () => {
    const noise = `#cloud-config\n${randomBytes(USER_DATA_LIMIT).toString("base64")}`;
    expect(() => gzipUserData(noise)).toThrow(/has \d+ bytes after gzip; EC2 takes 16384\. Make a file/);
  });
});
