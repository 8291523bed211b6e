import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { run } from "../../infra/exec.ts";
import { projectRoot } from "../../infra/paths.ts";
import { Metrics } from "../../server/metrics/metrics.ts";
import { promtool } from "../support/promtool.ts";

/** The configuration of Prometheus and Grafana that the project ships. */
const folder = join(projectRoot, "examples/monitoring");
const read = (name: string) => readFileSync(join(folder, name), "utf8");

interface Rule {
  alert: string;
  expr: string;
}
const rules = () =>
  (parse(read("mcp-edge.rules.yml")) as { groups: { rules: Rule[] }[] }).groups[0]?.rules ?? [];

interface Dashboard {
  panels: { id: number; title: string; targets: { expr: string }[] }[];
}
const dashboard = () => JSON.parse(read("grafana-dashboard.json")) as Dashboard;

describe("promtool", () => {
  test.each([
    ["the rules", ["check", "rules", "mcp-edge.rules.yml"]],
    ["what each rule raises, and when", ["test", "rules", "mcp-edge.rules.test.yml"]],
    ["the configuration", ["check", "config", "--syntax-only", "prometheus.yml"]],
  ])("accepts %s", async (_what, args) => {
    const { code, stdout, stderr } = await run(await promtool(), args, { cwd: folder, accept: [0, 1] });
    expect({ code, output: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, output: "" });
  });

  test("accepts each query of the dashboard", async () => {
    // Grafana replaces its variables before Prometheus sees a query.
    const queries = dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const groups = queries.map((query, index) => ({
      record: `query:${index}`,
      expr: query.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*"),
    }));
    const file = join(mkdtempSync(join(tmpdir(), "mcp-edge-dashboard-")), "queries.yml");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules: groups }] }));
    const { code, stdout, stderr } = await run(await promtool(), ["check", "rules", file], {
      accept: [0, 1],
    });
    rmSync(dirname(file), { recursive: true });
    expect({ code, output: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, output: "" });
    expect(queries.length).toBeGreaterThan(12);
  });
});

test("the server has every metric that a rule or a panel reads", async () => {
  const metrics = new Metrics({
    ...{ inFlight: () => 0, openStreams: () => [], queuedBytes: () => 0, release: "", colour: "" },
    sessions: () => ({ open: 0 }),
    trackedFlows: () => undefined,
    certificate: () => undefined,
  });
  const text = await metrics.text();
  metrics.close();
  const known = new Set(Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name]) => name));
  const read = [...rules().map(({ expr }) => expr), JSON.stringify(dashboard())].join("\n");
  const used = new Set(
    read.match(/\b(mcp_edge|nodejs|process)_[a-z_]+/g)?.map((name) => name.replace(/_bucket$/, "")),
  );
  expect(used.size).toBeGreaterThan(10);
  expect([...used].filter((name) => !known.has(name))).toEqual([]);
});

test("RUNBOOK.md explains each alert", () => {
  const runbook = readFileSync(join(projectRoot, "RUNBOOK.md"), "utf8");
  expect(rules().filter(({ alert }) => !runbook.includes(`| \`${alert}\` |`))).toEqual([]);
});
