import { createHash } from "node:crypto";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { extract } from "tar-stream";
import { CHANGES, type FileRow, VALIDATORS } from "../../cloud-init/file-row.ts";
import { FILES } from "../../cloud-init/file-table.ts";
import { filesArchive } from "../../cloud-init/files-archive.ts";
import {
  FILE_TABLE,
  filesHash,
  type MachineFile,
  machineFiles,
  manifest,
} from "../../cloud-init/machine-files.ts";
import { PACKAGES } from "../../cloud-init/packages.ts";
import type { MachineSettings } from "../../cloud-init/settings.ts";
import { type Role, rolesOf } from "../../cloud-init/topology.ts";
import { passthrough, SETTINGS } from "./fixture.ts";

const content = (path: string, settings: MachineSettings = SETTINGS) =>
  machineFiles(settings).find((file) => file.path === path)?.content;

describe("machineFiles", () => {
  test("is sorted and deterministic, and has every path once", () => {
    const paths = machineFiles(SETTINGS).map((file) => file.path);
    expect(paths).toEqual([...new Set(paths)].sort());
    expect(machineFiles(SETTINGS)).toEqual(machineFiles({ ...SETTINGS }));
  });

  test("has a value for every credential of a unit, since systemd ignores an empty one and the unit does not start", () => {
    const units = machineFiles(SETTINGS).filter(({ path }) => path.startsWith("/etc/systemd/system/"));
    const values = units.flatMap((file) => file.content.match(/^SetCredential=.*$/gm) ?? []);
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) expect(value).toMatch(/^SetCredential=[\w.-]+:.+$/);
  });

  test("lets the server reach the internet only where clients sign in, and never private networks", () => {
    const path = "/etc/systemd/system/mcp-edge@.service.d/outbound.conf";
    const withMode = (AUTH_MODE: string) =>
      content(path, { ...SETTINGS, serverEnvironment: { ...SETTINGS.serverEnvironment, AUTH_MODE } });
    for (const mode of ["token", "none"]) expect(withMode(mode)).toBeUndefined();
    expect(withMode("jwt")).toBe(withMode("oauth"));
    const dropIn = withMode("oauth");
    for (const range of ["10.0.0.0/8", "169.254.0.0/16", "fc00::/7"]) expect(dropIn).toContain(range);
  });

  test("has only scripts executable, and no file writable for others", () => {
    for (const file of machineFiles(SETTINGS))
      expect([file.path, file.mode]).toEqual([
        file.path,
        /^#!\/(usr\/)?bin\//.test(file.content) ? "0755" : "0644",
      ]);
  });

  test("opens QUIC sockets with reuseport exactly once for each address", () => {
    const nginx = machineFiles(SETTINGS)
      .filter((file) => file.path.startsWith("/etc/nginx/"))
      .map((file) => file.content)
      .join("");
    const owners = [...nginx.matchAll(/listen (\S+) quic reuseport/g)].map((match) => match[1]);
    expect(owners).toEqual(["443", "[::]:443"]);
    expect([...nginx.matchAll(/reuseport/g)]).toHaveLength(2);
    expect(nginx).not.toMatch(/ssl_stapling/);
    // A compressor would hold a stream's events back.
    expect(nginx).toMatch(/^ {2}gzip off;/m);
  });

  test("nothing forgets a QUIC connection before its ends do", () => {
    const seconds = (files: MachineFile[], path: string, pattern: RegExp) =>
      Number(pattern.exec(files.find((file) => file.path === path)?.content ?? "")?.[1]);
    const edge = machineFiles(SETTINGS);
    const forwarder = machineFiles(passthrough("nginx"), rolesOf("passthrough", "edge"));
    const idle = seconds(edge, "/etc/nginx/mcp-edge/servers.conf", /keepalive_timeout (\d+)s;/);
    expect(idle).toBe(60);
    for (const files of [edge, forwarder]) {
      const tracked = (name: string) =>
        seconds(files, "/etc/sysctl.d/60-mcp-edge.conf", new RegExp(`\\.${name} = (\\d+)$`, "m"));
      expect(tracked("nf_conntrack_udp_timeout")).toBeGreaterThan(idle);
      expect(tracked("nf_conntrack_udp_timeout_stream")).toBeGreaterThan(idle);
    }
    expect(60 * seconds(forwarder, "/etc/nginx/nginx.conf", /proxy_timeout (\d+)m;/)).toBeGreaterThan(idle);
  });

  test("enables exactly those of its units that have an [Install] section", () => {
    const units = machineFiles({ ...SETTINGS, aws: { metrics: true, logs: true } }).filter(({ path }) =>
      /^\/etc\/systemd\/system\/[^/]+$/.test(path),
    );
    const names = (files: typeof units) => files.map(({ path }) => basename(path));
    const enabled = FILES.map(({ enables }) => enables);
    expect(names(units).filter((name) => enabled.includes(name))).toEqual(
      names(units.filter(({ content: text }) => text.includes("[Install]"))),
    );
  });

  test("has a file of the trusted authority only if one is set", () => {
    const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const path = "/usr/local/share/ca-certificates/mcp-edge-acme.crt";
    expect(content(path)).toBeUndefined();
    expect(content(path, { ...SETTINGS, trustedCa: pem })).toBe(pem);
  });

  test("lists every package once, with a valid Debian name", () => {
    expect(PACKAGES.every((name) => /^[a-z0-9][a-z0-9+.-]+$/.test(name))).toBe(true);
    expect(PACKAGES).toEqual([...new Set(PACKAGES)].sort());
  });
});

describe("settings that would have another meaning in a configuration file", () => {
  test.each([
    ["domain", "mcp.example.com;return 200"],
    ["domain", "MCP.example.com"],
    ["domain", "localhost"],
    ["email", "ops@example.com\nserver = https://evil"],
    ["acmeServer", "http://acme.example.com/dir"],
    ["stack", "a b"],
    ["workspace", "https://x/$(reboot)"],
    ["workspace", "-upload-pack=evil"],
    ["workspaceName", "../etc"],
    ["workspaceName", ".."],
  ] as const)("%s = %j is refused", (key, value) => {
    const files = () => machineFiles({ ...SETTINGS, [key]: value });
    expect(files).toThrow(`The machine's files cannot be written: ${key} must `);
    expect(files).not.toThrow(value);
  });

  test.each(["serverEnvironment", "edgeEnvironment"])("%s may have only names and lines", (key) => {
    for (const value of ['x"\nAUTH_MODE=none', "$(reboot)", "a\\", "a'b", "\u0007"])
      expect(() => machineFiles({ ...SETTINGS, [key]: { NAME: value } })).toThrow(
        `${key}.NAME must be one line`,
      );
    expect(() => machineFiles({ ...SETTINGS, [key]: { "A=b\nC": "x" } })).toThrow(
      "must be a name of letters",
    );
    const file = key === "serverEnvironment" ? "server.env" : "edge.env";
    expect(content(`/etc/mcp-edge/${file}`, { ...SETTINGS, [key]: { NAME: "a b://*", N: "5" } })).toMatch(
      /^NAME=["']a b:\/\/\*["']\nN='?5'?$/m,
    );
  });

  test("are all reported at once", () => {
    const broken = { ...SETTINGS, domain: "?", rateLimit: 0, workspaceName: "", trustedCa: "x" };
    expect(() => machineFiles(broken)).toThrow(
      /domain must .*rateLimit must .*trustedCa must .*workspaceName must be set/s,
    );
  });

  test("never break out of their line", () => {
    const lines = (settings: MachineSettings) =>
      content("/etc/mcp-edge/edge.env", settings)?.split("\n").length;
    fc.assert(
      fc.property(fc.constantFrom("domain", "email", "workspace", "stack"), fc.string(), (key, value) => {
        try {
          expect(lines({ ...SETTINGS, [key]: value })).toBe(lines(SETTINGS));
        } catch (error) {
          expect(String(error)).toContain(`${key} must`);
        }
      }),
    );
  });
});

describe("the table", () => {
  const row: FileRow = {
    path: "/etc/fail2ban/action.d/extra.conf",
    source: () => "extra\n",
    role: "nginx",
    change: ["restart-fail2ban"],
    validator: "fail2ban",
    when: ({ stack }) => stack === "prod",
  };
  const line = `restart-fail2ban fail2ban - ${row.path}\n`;
  const withRow = (settings = SETTINGS, roles = rolesOf("terminate", "edge")) =>
    machineFiles(settings, roles, [...FILES, row]);
  const table = (files: MachineFile[]) => files.find(({ path }) => path === FILE_TABLE)?.content;

  test("puts an added file on the machine, and into the manifest, the archive and the machine's own table", async () => {
    const files = withRow();
    expect(files).toContainEqual({ path: row.path, content: "extra\n", mode: "0644" });
    expect(manifest(files)).toContain(` 0644 root ${row.path}\n`);
    expect((await filesArchive(files)).toString()).toContain(row.path.slice(1));
    expect(table(files)).toContain(line);
    expect(filesHash(files)).not.toBe(filesHash(machineFiles(SETTINGS)));
  });

  test("does not give the file to a machine without the role, or with other settings", () => {
    for (const files of [withRow(SETTINGS, ["app"]), withRow({ ...SETTINGS, stack: "dev" })]) {
      expect(files.map(({ path }) => path)).not.toContain(row.path);
      expect(table(files)).not.toContain(row.path);
    }
  });

  test("gives an edge NGINX without the server and an app the server without NGINX, and both together all files", () => {
    const paths = (...roles: Role[]) => machineFiles(SETTINGS, roles).map(({ path }) => path);
    expect(paths("nginx")).toContain("/etc/nginx/nginx.conf");
    expect(paths("nginx")).not.toContain("/etc/mcp-edge/server.env");
    expect(paths("app")).not.toContain("/etc/nginx/nginx.conf");
    expect(paths("app")).toContain("/etc/mcp-edge/server.env");
    expect([...new Set([...paths("nginx"), ...paths("app")])].sort()).toEqual(paths("nginx", "app"));
  });

  test("names the same changes and checks as the scripts", () => {
    const apply = content("/usr/local/lib/mcp-edge/apply.sh") ?? "";
    const implemented = [...apply.matchAll(/\b(?:when|needs) ([a-z0-9-]+)|\*,([a-z-]+),\*/g)].map(
      ([, a, b]) => a ?? b,
    );
    expect([...new Set(implemented)].sort()).toEqual([...CHANGES].sort());
    const validate = content("/usr/local/lib/mcp-edge/validate.sh") ?? "";
    const known = [...validate.matchAll(/tools\[([a-z0-9]+)\]:|^ {4}([a-z]+)\)/gm)].map(([, a, b]) => a ?? b);
    expect([...known, "none"].sort()).toEqual([...VALIDATORS].sort());
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

  test("has the same bytes for the same files, and another hash for another content, mode or group", async () => {
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
