import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BlockList } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { egressProviders, parseRanges } from "../../cloud-init/egress-ranges.ts";
import { projectRoot } from "../../infra/paths.ts";

const PAGE = `# IP addresses\n\n## Inbound IP addresses\n\n### IPv4\n\n\`192.0.2.0/24\`\n\n## Outbound IP addresses\n\nFor MCP tool calls.\n
### IPv4\n\n\`198.51.100.0/21\`\n\n### IPv6\n\n\`2001:db8::/48\`\n\n### Phased out IP addresses\n\n\`\`\`text\n203.0.113.1/32\n\`\`\`\n`;
const JSON_LIST = JSON.stringify({
  creationTime: "2026-11-01T00:00:00",
  prefixes: [
    { ipv4Prefix: "203.0.113.16/28" },
    { ipv6Prefix: "2001:db8:1::/64" },
    { ipv4Prefix: "203.0.113.16/28" },
  ],
});

test("the file has both providers, the date and the source of each list, and plausible ranges", () => {
  const providers = egressProviders();
  expect(providers.map(({ name }) => name)).toEqual(["Anthropic", "OpenAI"]);
  for (const { source, asOf, note, ranges } of providers) {
    expect(source).toMatch(/^https:\/\//);
    expect(asOf).toMatch(note === undefined ? /^20\d\d-\d\d-\d\d$/ : /^20\d\d/);
    const list = JSON.stringify({ prefixes: ranges.map((ipv4Prefix) => ({ ipv4Prefix })) });
    expect(parseRanges(list, source)).toEqual(ranges);
    const blocks = new BlockList();
    for (const range of ranges) blocks.addSubnet(range.split("/")[0] ?? "", Number(range.split("/")[1]));
  }
});

describe("a provider's list", () => {
  test("is read from a page's outbound section, without inbound and phased out addresses", () => {
    expect(parseRanges(PAGE, "page")).toEqual(["198.51.100.0/21", "2001:db8::/48"]);
  });
  test("is read from JSON with both families, without duplicates", () => {
    expect(parseRanges(JSON_LIST, "list")).toEqual(["203.0.113.16/28", "2001:db8:1::/64"]);
  });
  test.each([
    ["an empty list", '{"prefixes":[]}', "names no address range"],
    ["another form", '{"ranges":["192.0.2.0/24"]}', "names no address range"],
    ["a page of an error", "<html>blocked</html>", "names no address range"],
    ["the whole internet", '{"prefixes":[{"ipv4Prefix":"0.0.0.0/0"}]}', "wider than /12"],
    ["half of IPv6", '{"prefixes":[{"ipv6Prefix":"8000::/1"}]}', "wider than /32"],
    ["no range", '{"prefixes":[{"ipv4Prefix":"192.0.2.0/33"}]}', "is no address range"],
    ["a name", '{"prefixes":[{"ipv4Prefix":"example.com/24"}]}', "is no address range"],
    [
      "a line break",
      '{"prefixes":[{"ipv4Prefix":"192.0.2.0/24\\\\nignoreip = 0.0.0.0/0"}]}',
      "is no address range",
    ],
  ])("is refused: %s", (_, text, words) => {
    expect(() => parseRanges(text, "list")).toThrow(words);
  });
});

describe("npm run egress-ranges", () => {
  const folder = mkdtempSync(join(tmpdir(), "egress-"));
  const file = join(folder, "ranges.json");
  const answers: Record<string, [number, string]> = {};
  const server = createServer(({ url = "" }, response) => {
    const [status, body] = answers[url] ?? [404, "not found"];
    response.writeHead(status).end(body);
  });
  let origin = "";
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    const provider = (name: string) => ({
      name,
      source: `${origin}/${name}`,
      asOf: "2020-01-01",
      ranges: ["192.0.2.0/24"],
    });
    writeFileSync(file, JSON.stringify({ providers: [provider("page"), provider("list")] }));
  });

  const refresh = () =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      const script = join(projectRoot, "cloud-init/refresh-egress-ranges.ts");
      execFile(process.execPath, [script, file], (error, stdout, stderr) =>
        done({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });
  const written = () => JSON.parse(readFileSync(file, "utf8")).providers;

  test("writes both lists with the day", async () => {
    answers["/page"] = [200, PAGE];
    answers["/list"] = [200, JSON_LIST];
    const day = () => new Date().toISOString().slice(0, 10);
    const before = day();
    const { code, stdout } = await refresh();
    expect([code, stdout]).toEqual([0, expect.stringContaining("page: 2 ranges, as of 20")]);
    // The run may have been before midnight.
    const today = stdout.includes(before) ? before : day();
    expect(written()).toMatchObject([
      { asOf: today, ranges: ["198.51.100.0/21", "2001:db8::/48"] },
      { asOf: today, ranges: ["203.0.113.16/28", "2001:db8:1::/64"] },
    ]);
  });

  test("keeps the old list of a provider that cannot be reached, writes the other, and exits with 1", async () => {
    answers["/page"] = [503, "busy"];
    answers["/list"] = [200, JSON_LIST];
    const { code, stderr } = await refresh();
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("/page answers 503; the list of 2020-01-01 stays"),
    ]);
    expect(written()[0]).toMatchObject({ asOf: "2020-01-01", ranges: ["192.0.2.0/24"] });
    expect(written()[1].ranges).toContain("203.0.113.16/28");
  });
});
