import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noTimes } from "../../../server/metrics/buckets.ts";
import { type Sample, STEP_MS, STEPS } from "../../../server/status/sample.ts";

/** An hour of figures as another instance leaves them, and the machine's report: what `/status` shows at once. */
export async function writeHour(
  folder: string,
  now = Date.now(),
): Promise<{ STATUS_DIR: string; MACHINE_REPORT: string }> {
  await mkdir(folder, { recursive: true });
  const last = Math.floor(now / STEP_MS) * STEP_MS;
  const ages = Array.from({ length: STEPS - 1 }, (_, index) => STEPS - 2 - index);
  // The server was away for some minutes.
  const samples = ages.filter((age) => age < 100 || age > 130).map((age) => sample(last, age));
  const figures = { release: "a".repeat(64), samples };
  await writeFile(join(folder, "status-green.json"), JSON.stringify(figures));
  const seconds = Math.floor(now / 1_000);
  const day = 86_400;
  const certificate = { from: seconds - 30 * day, to: seconds + 60.5 * day };
  const machineFile = join(folder, "machine.json");
  await writeFile(machineFile, JSON.stringify({ at: seconds, certificate, bans: 3 }));
  return { STATUS_DIR: folder, MACHINE_REPORT: machineFile };
}

/** @param age in steps */
function sample(last: number, age: number): Sample {
  const wave = 1 + Math.sin(age / 30);
  const requests = Math.round(60 * wave) + (age % 7);
  const duration = noTimes();
  duration[4] = requests;
  duration[7] = age % 5;
  duration[10] = age % 40 === 0 ? 2 : 0;
  return {
    at: last - age * STEP_MS,
    requests,
    errors: age % 90 === 0 ? 2 : 0,
    refused: age % 50 === 0 ? 5 : 0,
    http3: Math.round(requests * 0.8),
    toolCalls: Math.round(requests / 2),
    toolErrors: age % 70 === 0 ? 1 : 0,
    duration,
    firstByte: duration,
    streams: 10 + Math.round(4 * wave),
    bans: 3,
  };
}
