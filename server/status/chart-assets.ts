import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { statusScript } from "../pages/status-script.ts";

/** A file for browsers. Its path has its hash, so that they keep it for good. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export interface ChartAssets {
  readonly script: Asset;
  readonly library: Asset;
  readonly style: Asset;
}

const SCRIPT = "uPlot.iife.min.js";
const STYLE = "uPlot.min.css";

/** @returns undefined where uPlot is missing: `/status` is text then */
export function loadChartAssets(folder = findUplot()): ChartAssets | undefined {
  if (folder === undefined) return undefined;
  // The small build defines a variable. As a module it exports it.
  const library = asset(
    "uplot",
    "js",
    `${readFileSync(join(folder, SCRIPT), "utf8")}\nexport default uPlot;\n`,
  );
  return {
    library,
    style: asset("uplot", "css", readFileSync(join(folder, STYLE), "utf8")),
    script: asset("status", "js", statusScript(library.path)),
  };
}

/** The files of uPlot: beside `bin/node` in a release, else in the npm package. */
function findUplot(execPath = process.execPath, from = import.meta.url): string | undefined {
  const released = join(dirname(execPath), "..", "uplot");
  if (existsSync(join(released, SCRIPT))) return released;
  try {
    return join(dirname(createRequire(from).resolve("uplot/package.json")), "dist");
  } catch {
    return undefined;
  }
}

function asset(name: string, kind: "js" | "css", text: string): Asset {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const type = kind === "js" ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8";
  return { path: `/assets/${name}-${hash}.${kind}`, type, text };
}
