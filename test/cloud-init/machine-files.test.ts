import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { extract } from "tar-stream";
import { filesArchive } from "../../cloud-init/files-archive.ts";
import { filesHash, machineFiles, manifest } from "../../cloud-init/machine-files.ts";
import { PACKAGES } from "../../cloud-init/packages.ts";
import type { MachineSettings } from "../../cloud-init/settings.ts";
import { SETTINGS } from "./fixture.ts";

const content = (path: string, settings: MachineSettings = SETTINGS) =>
  machineFiles(settings).find((file) => file.path === path)?.content;

describe("machineFiles", () => {
  test("is sorted and deterministic, and every path is there once", () => {
    const paths = machineFiles(SETTINGS).map((file) => file.path);
    expect(paths).toEqual([...new Set(paths)].sort());
    expect(machineFiles(SETTINGS)).toEqual(machineFiles({ ...SETTINGS }));
  });

  test("a unit's credential has a value: systemd ignores an empty one, and the unit then does not start", () => {
    const units = machineFiles(SETTINGS).filter(({ path }) => path.startsWith("/etc/systemd/system/"));
    const values = units.flatMap((file) => file.content.match(/^SetCredential=.*$/gm) ?? []);
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) expect(value).toMatch(/^SetCredential=[\w.-]+:.+$/);
  });

  test("scripts are executable, nothing else is, and no file is writable for others", () => {
    for (const file of machineFiles(SETTINGS))
      expect([file.path, file.mode]).toEqual([
        file.path,
        /^#!\/(usr\/)?bin\//.test(file.content) ? "0755" : "0644",
      ]);
  });

  test("QUIC sockets are opened with reuseport exactly once an address", () => {
    const nginx = machineFiles(SETTINGS)
      .filter((file) => file.path.startsWith("/etc/nginx/"))
      .map((file) => file.content)
      .join("");
    const owners = [...nginx.matchAll(/listen (\S+) quic reuseport/g)].map((match) => match[1]);
    expect(owners).toEqual(["443", "[::]:443"]);
    expect([...nginx.matchAll(/reuseport/g)]).toHaveLength(2);
    expect(nginx).not.toMatch(/ssl_stapling|keepalive \d/);
  });

  test("the first boot enables every unit that has an [Install] section; timers by their names", () => {
    const setup = content("/usr/local/sbin/mcp-edge-setup") ?? "";
    expect(setup).toContain("for timer in /etc/systemd/system/mcp-edge-*.timer");
    const units = machineFiles({ ...SETTINGS, aws: { metrics: true, logs: true } }).filter(
      ({ path, content: text }) => path.startsWith("/etc/systemd/system/") && text.includes("[Install]"),
    );
    expect(units.length).toBeGreaterThan(8);
    const missing = units
      .map(({ path }) => path.slice("/etc/systemd/system/".length))
      .filter((name) => !/^mcp-edge-[a-z]+\.timer$/.test(name) && !setup.includes(` ${name} `));
    expect(missing).toEqual([]);
  });

  test("the trusted authority is a file only when there is one", () => {
    const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const path = "/usr/local/share/ca-certificates/mcp-edge-acme.crt";
    expect(content(path)).toBeUndefined();
    expect(content(path, { ...SETTINGS, trustedCa: pem })).toBe(pem);
  });

  test("without a token the server is told that this is meant", () => {
    expect(content("/etc/mcp-edge/server.env")).not.toContain("AUTH_NONE_ALLOWED");
    expect(content("/etc/mcp-edge/server.env", { ...SETTINGS, auth: "none" })).toContain(
      "AUTH_MODE=none\nAUTH_NONE_ALLOWED=yes\n",
    );
  });

  test("every package has a valid Debian name and stands there once", () => {
    expect(PACKAGES.every((name) => /^[a-z0-9][a-z0-9+.-]+$/.test(name))).toBe(true);
    expect(PACKAGES).toEqual([...new Set(PACKAGES)].sort());
  });
});

describe("settings that would mean something else in a configuration file", () => {
  test.each([
    ["domain", "mcp.example.com;return 200"],
    ["domain", "MCP.example.com"],
    ["domain", "localhost"],
    ["email", "ops@example.com\nserver = https://evil"],
    ["acmeServer", "http://acme.example.com/dir"],
    ["stack", "a b"],
    ["logLevel", "loud"],
    ["workspace", "https://x/$(reboot)"],
    ["workspace", "-upload-pack=evil"],
    ["workspaceName", "../etc"],
    ["workspaceName", ".."],
  ] as const)("%s = %j is refused", (key, value) => {
    expect(() => machineFiles({ ...SETTINGS, [key]: value })).toThrow(
      `${key} is ${JSON.stringify(value)}, not `,
    );
  });

  test("allowed origins reach the server's environment, and nothing else does", () => {
    const origins = ["https://chat.example.com", "vscode-webview://*"];
    expect(content("/etc/mcp-edge/server.env", { ...SETTINGS, allowedOrigins: origins })).toContain(
      '\nALLOWED_ORIGINS="https://chat.example.com vscode-webview://*"\n',
    );
    expect(() => machineFiles({ ...SETTINGS, allowedOrigins: ['x"\nAUTH_MODE=none'] })).toThrow(
      "not an origin",
    );
  });

  test("all problems come at once", () => {
    const broken = { ...SETTINGS, domain: "?", rateLimit: 0, workspaceName: "", trustedCa: "x" };
    expect(() => machineFiles(broken)).toThrow(
      /domain is .*rateLimit is 0.*workspaceName is empty.*trustedCa/s,
    );
  });

  test("no text breaks out of its line, whatever it is", () => {
    const lines = (settings: MachineSettings) =>
      content("/etc/mcp-edge/edge.env", settings)?.split("\n").length;
    fc.assert(
      fc.property(fc.constantFrom("domain", "email", "workspace", "stack"), fc.string(), (key, value) => {
        try {
          expect(lines({ ...SETTINGS, [key]: value })).toBe(lines(SETTINGS));
        } catch (error) {
          expect(String(error)).toContain(`${key} is`);
        }
      }),
    );
  });
});

describe("filesArchive", () => {
  const unpack = async (archive: Buffer) => {
    const found: Record<string, string> = {};
    for await (const entry of Readable.from(archive).pipe(extract()))
      found[entry.header.name] = await text(entry);
    return found;
  };

  test("holds every file and the manifest that gives the set its hash", async () => {
    const files = machineFiles(SETTINGS);
    const { MANIFEST, ...found } = await unpack(await filesArchive(files));
    expect(MANIFEST).toBe(manifest(files));
    expect(createHash("sha256").update(manifest(files)).digest("hex")).toBe(filesHash(files));
    expect(found).toEqual(Object.fromEntries(files.map((file) => [file.path.slice(1), file.content])));
  });

  test("the same files give the same bytes; another content, mode or group another hash", async () => {
    const files = machineFiles(SETTINGS);
    expect(await filesArchive(files)).toEqual(await filesArchive(machineFiles(SETTINGS)));
    const [first, ...rest] = files;
    if (!first) throw new Error("no files");
    const hashes = [{ content: "x" }, { mode: "0600" }, { group: "adm" }, {}].map((change) =>
      filesHash([{ ...first, ...change }, ...rest]),
    );
    expect(new Set(hashes).size).toBe(4);
  });
});
