import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How long EC2 Instance Connect hands a key to the instance, milliseconds (EC2 user guide, "How EC2 Instance Connect works"). */
const LIFE_MS = 60_000;

const fileOf = (home: string, instance: string, user: string) =>
  join(home, "connect-keys", instance, `${user}.keys`);

/** Adds a key, as the metadata service hands it out: after the lines that say until when and where it counts. */
export function addKey(home: string, instance: string, user: string, key: string): void {
  const file = fileOf(home, instance, user);
  mkdirSync(join(file, ".."), { recursive: true });
  const until = Math.floor((Date.now() + LIFE_MS) / 1_000);
  const lines = [
    `#Timestamp=${until}`,
    `#Instance=${instance}`,
    "#Caller=arn:aws:iam::111122223333:user/test",
    key,
  ];
  writeFileSync(file, `${keysOf(home, instance, user)}${lines.join("\n")}\n`);
}

/** The keys of a user of an instance, also those that count no more; "": none. */
export function keysOf(home: string, instance: string, user: string): string {
  const file = fileOf(home, instance, user);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
