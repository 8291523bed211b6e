import { styleText } from "node:util";
import { withPlainTexts } from "../../infra/plain-text.ts";
import type { CheckResult, DoctorReport } from "./check.ts";

export interface RenderOptions {
  colour: boolean;
  /** Width of the terminal; longer lines are folded under their column. 0: never. Default 0. */
  width?: number;
}

type Style = Parameters<typeof styleText>[0];

/** Milliseconds as people say them: `7 ms`, `1.2 s`. */
export function formatMs(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The report for a stream: with colour and folded lines where it is a terminal. NO_COLOR (no-color.org) switches the colour off. */
export function renderForTerminal(report: DoctorReport, { isTTY, columns }: NodeJS.WriteStream): string {
  return renderReport(report, { colour: isTTY && !process.env.NO_COLOR, width: isTTY ? columns : 0 });
}

/**
 * The report as a table: mark, title, time, what came; under a failed line what was tried and how to fix it. The examined host may have
 * written some of it.
 */
export function renderReport(given: DoctorReport, { colour, width = 0 }: RenderOptions): string {
  const report = withPlainTexts(given);
  const paint = (style: Style, text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const titles = Math.max(...report.checks.map(({ title }) => title.length));
  const times = Math.max(...report.checks.map(({ ms }) => formatMs(ms).length));
  // Mark, title, time and the two spaces after each.
  const indent = 2 + titles + 2 + times + 2;
  const row = (check: CheckResult): string[] => {
    const mark = check.ok ? paint("green", "✓") : paint("red", "✗");
    const head = `${mark} ${check.title.padEnd(titles)}  ${paint("dim", formatMs(check.ms).padStart(times))}  `;
    const lines = [head + fold(check.got, indent, width)];
    // What was not tried has nothing of its own to tell: its line names what to fix first.
    if (!check.ok && check.blockedBy === undefined) {
      lines.push(paint("dim", `    tried  ${fold(check.tried, 11, width)}`));
      if (check.fix !== undefined)
        lines.push(`    ${paint("yellow", "fix")}    ${fold(check.fix, 11, width)}`);
    }
    return lines;
  };
  const failed = report.checks.filter(({ ok }) => !ok).length;
  const total = report.checks.length;
  const end =
    failed === 0
      ? paint("green", `All ${total} checks passed`)
      : paint("red", `${failed} of ${total} checks failed`);
  return [
    paint("bold", report.url),
    "",
    ...report.checks.flatMap(row),
    "",
    `${end} in ${formatMs(report.ms)}`,
    ...(report.leftOut ? [paint("dim", `Left out without a token: ${report.leftOut.join("; ")}`)] : []),
  ].join("\n");
}

/** Breaks text at spaces so that it stays right of `indent`. A word longer than a line stays whole. */
function fold(text: string, indent: number, width: number): string {
  const room = width - indent;
  if (room < 20) return text;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}
