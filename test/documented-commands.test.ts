import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import type { Command } from "commander";
import { journalctl } from "../cli/commands/logs.ts";
import { mcpEdge } from "../cli/program.ts";
import { SCHEMAS } from "../infra/settings/schemas.ts";

/** A command where it is named. */
interface Named {
  file: string;
  text: string;
}

const DOCUMENTS = ["README.md", "RUNBOOK.md", "SECURITY.md", "CONTRIBUTING.md", ...globSync("docs/*.md")];
const SOURCES = globSync([
  "{cli,infra,server,cloud-init}/**/*.ts",
  "cloud-init/{deploy,files}/**",
  ".github/**/*.yml",
]).filter((path) => /\.[a-z]+$|deploy\/[a-z-]+$/.test(path) && !path.endsWith("/lib"));

/** What follows `pattern` on its line, in documents and in what the programs say. */
const named = (pattern: RegExp, files = [...DOCUMENTS, ...SOURCES]): Named[] =>
  files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(pattern)].map(([, text = ""]) => ({ file, text })),
  );

const scripts: Record<string, string> = JSON.parse(readFileSync("package.json", "utf8")).scripts;
const SHORTCUTS = ["up", "down", "preview", "doctor"];

const commandOf = (of: Command, name: string): Command | undefined =>
  of.commands.find((one) => one.name() === name);

/** The words of a call that are neither options, nor their values, nor operands of the command. */
function surplusOperands(call: string): string[] {
  const [program = ""] = call.split(/ [&|<>#] ?| -- /);
  const words = program.match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? [];
  let command = mcpEdge() as Command;
  while (commandOf(command, words[0] ?? "")) command = commandOf(command, words.shift() ?? "") as Command;
  const operands: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const option = command.options.find(({ short, long }) => word === short || word === long);
    if (option && (option.required || option.optional)) at++;
    if (!word.startsWith("-")) operands.push(word);
  }
  const taken = command.registeredArguments;
  return taken.some(({ variadic }) => variadic) ? [] : operands.slice(taken.length);
}

describe("every command that documents and messages name", () => {
  const npm = named(/npm run (?:-s )?([a-z][^`"'\n;)]*)/g);

  test("is a script of package.json", () => {
    expect(npm.length).toBeGreaterThan(80);
    const unknown = npm.filter(({ text }) => scripts[/^[a-z:-]+[a-z]/.exec(text)?.[0] ?? ""] === undefined);
    expect(unknown).toEqual([]);
  });

  test("is one of mcp-edge's, with options that it has", () => {
    const calls = npm.flatMap(({ file, text }) => {
      const [, script = "", rest = ""] = /^([a-z:-]+[a-z])(?: +-- +(.*))?/.exec(text) ?? [];
      if (script === "mcp-edge") return [{ file, text, words: rest.split(/\s+/) }];
      return SHORTCUTS.includes(script) ? [{ file, text, words: [script, ...rest.split(/\s+/)] }] : [];
    });
    const wrong: string[] = [];
    for (const { file, text, words } of calls) {
      const [name = "", second = ""] = words;
      if (!/^[a-z]+$/.test(name)) continue; // `npm run mcp-edge` alone
      const parent = commandOf(mcpEdge(), name);
      const command = parent?.commands.length && /^[a-z]+$/.test(second) ? commandOf(parent, second) : parent;
      const own = words.slice(1, words.includes("--") ? words.indexOf("--") : undefined);
      const options = own
        .filter((word) => /^--?[a-z]/.test(word))
        .map((word) => word.replace(/[=.,;].*/, ""));
      for (const option of command ? options : ["(no such command)"]) {
        const there = command?.options.some(({ short, long }) => option === short || option === long);
        if (!there) wrong.push(`${file}: ${text}: ${option}`);
      }
    }
    expect(calls.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  test("has no more operands than the command takes", () => {
    const quoted = named(
      /`npm run (?:-s )?(?:mcp-edge -- |(?=(?:up|down|preview|doctor)\b))([^`…]+)`/g,
      DOCUMENTS,
    );
    expect(quoted.length).toBeGreaterThan(50);
    expect(quoted.filter(({ text }) => surplusOperands(text.replace(/ -- (?=-)/, " ")).length > 0)).toEqual(
      [],
    );
    expect(surplusOperands("token create prometheus --scopes ops")).toEqual(["prometheus"]);
  });

  test("is a script or a unit of the machine", () => {
    // Without names of resources, of which the stack is a part.
    const known = named(/(?<![\w./:-])(mcp-edge-[a-z]+)(?:\.(?:service|timer))?(?= |`|\n|,|\))/g, DOCUMENTS);
    expect(known.length).toBeGreaterThan(15);
    const unknown = known.filter(
      ({ text }) =>
        !existsSync(`cloud-init/deploy/${text}`) &&
        globSync(`cloud-init/files/systemd/${text}.*`).length === 0 &&
        !["mcp-edge-deployer", "mcp-edge-prod"].includes(text),
    );
    expect(unknown).toEqual([]);
  });

  test("sets a setting that there is", () => {
    const settings = new Set(Object.keys({ ...SCHEMAS.local, ...SCHEMAS.aws }));
    const set = named(/config set (?:--path )?'?mcp-edge:([a-zA-Z]+)/g);
    expect(set.length).toBeGreaterThan(10);
    expect(set.filter(({ text }) => text !== "key" && !settings.has(text))).toEqual([]);
  });

  test("asks for an output of the stack that there is", () => {
    const outputs = readFileSync("infra/edge.ts", "utf8");
    const asked = named(/pulumi stack output ([a-zA-Z]+)/g);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter(({ text }) => !outputs.includes(`  ${text}?: `))).toEqual([]);
  });
});

test("logs of several units are asked for together", () => {
  const options = { follow: false, lines: "5" };
  expect(journalctl(options).join(" ")).toBe("journalctl --no-pager -n 5 -u mcp-edge@*");
  expect(journalctl({ ...options, follow: true, units: ["a.service", "b.service"] }).join(" ")).toBe(
    "journalctl --no-pager -n 5 -u a.service -u b.service -f",
  );
});
