import type { Point } from "../status/sample.ts";

export type Unit = "ms" | "%" | "a second" | "";
export type Series = Exclude<keyof Point, "at">;

/** One chart of `/status`. The first line is solid, the second dashed, the third dotted: color alone tells nothing. */
export interface Chart {
  readonly title: string;
  readonly unit: Unit;
  readonly series: readonly { readonly key: Series; readonly label: string }[];
}

export const CHARTS: readonly Chart[] = [
  { title: "Requests", unit: "a second", series: [{ key: "requests", label: "requests" }] },
  {
    title: "Duration",
    unit: "ms",
    series: [
      { key: "p50", label: "p50" },
      { key: "p95", label: "p95" },
      { key: "p99", label: "p99" },
    ],
  },
  {
    title: "First byte",
    unit: "ms",
    series: [
      { key: "firstByte50", label: "p50" },
      { key: "firstByte95", label: "p95" },
    ],
  },
  {
    title: "Errors",
    unit: "",
    series: [
      { key: "errors", label: "server errors" },
      { key: "refused", label: "refused by a limit" },
    ],
  },
  {
    title: "Tool calls",
    unit: "",
    series: [
      { key: "toolCalls", label: "calls" },
      { key: "toolErrors", label: "failed" },
    ],
  },
  { title: "Open streams", unit: "", series: [{ key: "streams", label: "streams" }] },
  { title: "HTTP/3", unit: "%", series: [{ key: "http3", label: "of the requests" }] },
  { title: "Bans", unit: "", series: [{ key: "bans", label: "addresses" }] },
];

/** A value for people: three digits that count. `–`: not known, or nothing to measure. */
export function valueText(value: number | undefined | null, unit: Unit): string {
  if (value === undefined || value === null) return "–";
  const number = value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  return unit === "" || unit === "%" ? `${number}${unit}` : `${number} ${unit}`;
}
