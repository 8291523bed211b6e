import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { EGRESS_FILE, type Provider, refreshed } from "./egress-ranges.ts";

/**
 * `npm run egress-ranges [FILE]`: reads each provider's published list and writes the file again; read the difference in git, then
 * `npm run up`. A list that cannot be had, or is not believed, stays as it is, and the exit code is 1.
 */
const file = process.argv[2] ? pathToFileURL(process.argv[2]) : EGRESS_FILE;
const { providers } = JSON.parse(readFileSync(file, "utf8")) as { providers: Provider[] };
const today = new Date().toISOString().slice(0, 10);
const results = await Promise.allSettled(providers.map((provider) => refreshed(provider, today)));
const lists = results.map((result, at) => {
  if (result.status === "fulfilled") return result.value;
  console.error(`${(result.reason as Error).message}; the list of ${providers[at]?.asOf} stays`);
  process.exitCode = 1;
  return providers[at];
});
writeFileSync(file, `${JSON.stringify({ providers: lists }, null, 2)}\n`);
for (const list of lists) console.log(`${list?.name}: ${list?.ranges.length} ranges, as of ${list?.asOf}`);
