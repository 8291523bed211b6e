import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../infra/exec.ts";
import { addHosts, removeHosts } from "../../../infra/local/hosts-file.ts";
import { networkOf } from "../../../infra/local/network.ts";
import { RECORD } from "../services/route53.ts";
import type { Store } from "../store.ts";
import { text, texts } from "../values.ts";
import { cloudOf } from "./plan.ts";

/** The public addresses and texts by name. */
type Names = Record<string, { A: string[]; AAAA: string[]; TXT: string[] }>;

const fileOf = (home: string) => join(home, "dns.json");

const known = (home: string): Names =>
  existsSync(fileOf(home)) ? JSON.parse(readFileSync(fileOf(home), "utf8")) : {};

export function names(store: Store): Names {
  const all: Names = {};
  for (const { inputs, outs } of store.all(RECORD)) {
    const type = text(inputs, "type");
    if (type !== "A" && type !== "AAAA" && type !== "TXT") continue;
    const name = text(outs, "fqdn");
    all[name] ??= { A: [], AAAA: [], TXT: [] };
    all[name][type].push(...texts(inputs, "records").map((value) => value.replace(/^"(.*)"$/, "$1")));
  }
  return all;
}

/** Makes several calls to the ACME server's own resolver. Its management interface listens only in its network namespace. */
export async function resolverCalls(networkIndex: number, calls: [string, object][]): Promise<void> {
  const script = `for (const [path, body] of ${JSON.stringify(calls)}) {
    const answer = await fetch("http://127.0.0.1:8055/" + path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(path + " answered " + answer.status);
  }`;
  const namespace = `${networkOf(networkIndex).bridge}-ca`;
  const node = [process.execPath, "--input-type=module", "-e", script];
  await run("ip", ["netns", "exec", namespace, ...node]);
}

const markOf = (name: string) => `aws-${name}`;

/** Writes the records' names into the ACME server's resolver and this host's /etc/hosts, and removes deleted names there. */
export async function convergeDns(store: Store): Promise<void> {
  const cloud = cloudOf(store.home);
  if (!cloud) return;
  const now = names(store);
  const before = known(store.home);
  const calls: [string, object][] = [];
  for (const name of Object.keys(before)) {
    for (const call of ["clear-a", "clear-aaaa", "clear-txt"]) calls.push([call, { host: `${name}.` }]);
    if (!now[name]) await removeHosts(markOf(name));
  }
  for (const [name, { A, AAAA, TXT }] of Object.entries(now)) {
    if (A.length > 0) calls.push(["add-a", { host: `${name}.`, addresses: A }]);
    if (AAAA.length > 0) calls.push(["add-aaaa", { host: `${name}.`, addresses: AAAA }]);
    // Each call adds a value.
    for (const value of TXT) calls.push(["set-txt", { host: `${name}.`, value }]);
    if (A.length + AAAA.length > 0) await addHosts(markOf(name), name, [...A, ...AAAA]);
  }
  await resolverCalls(cloud.networkIndex, calls);
  writeFileSync(fileOf(store.home), JSON.stringify(now));
}

/** Removes all names from this host. */
export async function forgetNames(home: string): Promise<void> {
  for (const name of Object.keys(known(home))) await removeHosts(markOf(name));
}
