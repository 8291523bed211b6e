/** One measured thing beside what it is compared with, all from the same run. */
export interface Figure {
  what: string;
  unit: "s" | "ms" | "µs" | "requests" | "req/s" | "KB" | "MB" | "share" | "count";
  ours: number;
  /** What it is measured against: the floor that nothing here can beat, or another way to do the same. */
  against?: { name: string; value: number };
  /** What the project promises. */
  promise?: string;
  note?: string;
}

const shown = ({ unit }: Figure, value: number) =>
  unit === "requests" || unit === "count"
    ? value.toLocaleString("en")
    : unit === "share"
      ? value.toFixed(3)
      : unit === "req/s"
        ? `${Math.round(value).toLocaleString("en")} req/s`
        : `${value.toFixed(1)} ${unit}`;

/** A table for people. */
export function render(figures: Figure[]): string {
  const rows = figures.map((figure) => {
    const { what, ours, against, promise = "", note = "" } = figure;
    const ratio = against && against.value > 0 ? `${(ours / against.value).toFixed(2)} x` : "";
    const other = against ? `${shown(figure, against.value)} (${against.name})` : "";
    return [what, shown(figure, ours), other, ratio, promise, note];
  });
  const head = ["what", "ours", "against", "ratio", "promise", ""];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
