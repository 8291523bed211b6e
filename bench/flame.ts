/** The part of V8's .cpuprofile that a flame graph needs (Chrome DevTools protocol, Profiler.Profile). */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  samples: number[];
  /** Microseconds. */
  timeDeltas: number[];
}

interface Frame {
  name: string;
  group: string;
  self: number;
  total: number;
  children: Map<string, Frame>;
}

const IDLE = new Set(["(idle)", "(program)"]);
const COLOURS: Record<string, string> = {
  "mcp-edge": "#e4572e",
  "MCP SDK": "#f3a712",
  zod: "#a8c686",
  fastify: "#669bbc",
  "other packages": "#9fb8ad",
  Node: "#c9cba3",
};

/** Whose code a file is. */
export function groupOf(url: string): string {
  if (url.includes("/@modelcontextprotocol/")) return "MCP SDK";
  if (url.includes("/node_modules/zod/")) return "zod";
  if (/\/node_modules\/@?fastify/.test(url)) return "fastify";
  if (url.includes("/node_modules/")) return "other packages";
  return url.startsWith("file:") ? "mcp-edge" : "Node";
}

/** Busy time by whose code it was spent in, largest first; fractions of all busy time. */
export function shares(profile: CpuProfile): [string, number][] {
  const sums = new Map<string, number>();
  const add = (frame: Frame) => {
    sums.set(frame.group, (sums.get(frame.group) ?? 0) + frame.self);
    for (const child of frame.children.values()) add(child);
  };
  const root = tree(profile);
  add(root);
  return [...sums]
    .map(([group, sum]): [string, number] => [group, sum / root.total])
    .sort((a, b) => b[1] - a[1]);
}

function tree({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const root: Frame = { name: "all", group: "Node", self: 0, total: 0, children: new Map() };
  samples.forEach((sample, i) => {
    const path = [];
    for (let node = byId.get(sample); node; node = byId.get(parents.get(node.id) ?? -1)) path.unshift(node);
    const time = timeDeltas[i] ?? 0;
    if (IDLE.has(path.at(-1)?.callFrame.functionName ?? "")) return;
    let frame = root;
    frame.total += time;
    for (const { callFrame } of path.slice(1)) {
      const name = callFrame.functionName || "(anonymous)";
      const group = groupOf(callFrame.url);
      const key = `${name} ${group}`;
      const child = frame.children.get(key) ?? { name, group, self: 0, total: 0, children: new Map() };
      frame.children.set(key, child);
      child.total += time;
      frame = child;
    }
    frame.self += time;
  });
  return root;
}

const WIDTH = 1200;
const ROW = 15;
const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A flame graph as SVG: width is busy time, colour is whose code. Frames below a five-hundredth are left out. */
export function flameGraph(profile: CpuProfile, title: string): string {
  const root = tree(profile);
  const boxes: string[] = [];
  let depth = 0;
  const draw = (frame: Frame, x: number, level: number) => {
    const width = (frame.total / root.total) * WIDTH;
    if (width < WIDTH / 500) return;
    depth = Math.max(depth, level);
    const percent = ((frame.total / root.total) * 100).toFixed(1);
    const label = escaped(frame.name.slice(0, Math.floor(width / 6.2)));
    const y = 40 + level * ROW;
    boxes.push(
      `<g><title>${escaped(frame.name)} (${frame.group}) ${percent} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[frame.group]}"/><text x="${(x + 2).toFixed(1)}" y="${y + 11}">${width > 20 ? label : ""}</text></g>`,
    );
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.total - a.total)) {
      draw(child, at, level + 1);
      at += (child.total / root.total) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const legend = Object.entries(COLOURS)
    .map(
      ([group, colour], i) =>
        `<rect x="${10 + i * 130}" y="22" width="10" height="10" fill="${colour}"/><text x="${24 + i * 130}" y="31">${group}</text>`,
    )
    .join("");
  const height = 60 + depth * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10"><title>${escaped(title)}</title><rect width="100%" height="100%" fill="#fff"/><text x="10" y="14" font-size="12">${escaped(title)}</text>${legend}${boxes.join("\n")}</svg>\n`;
}
