import { readFile } from "node:fs/promises";
import * as z from "zod";

const MachineSchema = z.object({
  /** When the machine looked, seconds since 1970. */
  at: z.number(),
  /** The certificate's first and last second, since 1970, and whether the last attempt to renew it failed. */
  certificate: z.object({ from: z.number(), to: z.number(), failed: z.boolean().default(false) }).optional(),
  /** Addresses that fail2ban bans now. */
  bans: z.number().int().nonnegative().optional(),
  /** Flows that the kernel tracks, and how many it can. */
  flows: z.object({ tracked: z.number(), limit: z.number().positive() }).optional(),
});

/** What the machine itself reports. Times in milliseconds since 1970. */
export interface MachineReport {
  readonly at: number;
  readonly certificate: { readonly from: number; readonly to: number; readonly failed: boolean } | undefined;
  readonly bans: number | undefined;
  readonly flows: { readonly tracked: number; readonly limit: number } | undefined;
}

/** A report that is older says nothing about now, milliseconds. The machine writes one each minute. */
const STALE_MS = 5 * 60_000;

/** Reads what `mcp-edge-report` wrote. @returns undefined where there is none, or none of late */
export async function readMachineReport(
  file: string | undefined,
  now: number,
): Promise<MachineReport | undefined> {
  if (file === undefined) return undefined;
  try {
    const { at, certificate, bans, flows } = MachineSchema.parse(JSON.parse(await readFile(file, "utf8")));
    if (now - at * 1_000 > STALE_MS) return undefined;
    return {
      at: at * 1_000,
      certificate: certificate && {
        ...{ from: certificate.from * 1_000, to: certificate.to * 1_000 },
        failed: certificate.failed,
      },
      bans,
      flows,
    };
  } catch {
    return undefined;
  }
}

/** @returns 0 to 1: how full the table of tracked flows is */
export const flowsRatio = (report: MachineReport | undefined): number | undefined =>
  report?.flows && report.flows.tracked / report.flows.limit;
