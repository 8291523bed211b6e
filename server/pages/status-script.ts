/**
 * The script of `/status`: reads the event stream and draws the charts. Without it the page is text.
 *
 * @param library path of uPlot as an ES module
 */
export const statusScript = (library: string): string => `import uPlot from ${JSON.stringify(library)};
const HOUR = 3600;
const charts = document.querySelector(".charts");
const step = Number(charts.dataset.step);
const live = document.getElementById("live");
const pause = document.getElementById("pause");
const points = new Map();
let paused = false;

const css = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const DASHES = [[], [6, 4], [2, 3]];
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const text = (value, unit) => {
  if (value == null) return "\\u2013";
  const number = value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  return unit === "" || unit === "%" ? number + unit : number + " " + unit;
};

const drawn = [...charts.querySelectorAll(".chart")].map((figure) => {
  const { unit } = figure.dataset;
  const outputs = [...figure.querySelectorAll("output")];
  const keys = outputs.map((output) => output.dataset.key);
  const target = figure.querySelector(".plot");
  target.hidden = false;
  let data = [[], ...keys.map(() => [])];
  /** The values under the pointer, or the newest. */
  const show = (index) => outputs.forEach((output, at) => {
    output.value = text(data[at + 1][index ?? data[0].length - 1], unit);
  });
  const size = () => ({ width: Math.max(200, target.clientWidth), height: 150 });
  const axis = { stroke: css("--muted"), font: "12px system-ui, sans-serif", grid: { stroke: css("--line"), width: 1 }, ticks: { show: false } };
  const plot = new uPlot({
    ...size(),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: () => { const now = Date.now() / 1000; return [now - HOUR, now]; } },
      y: { range: (_, __, max) => [0, unit === "%" ? 100 : Math.max(1, (max ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, size: 26, gap: 4, space: 60, values: (_, at) => at.map(clock) },
      { ...axis, size: 46, gap: 4, space: 36, values: (_, at) => at.map((value) => text(value, "")) },
    ],
    series: [
      {},
      ...keys.map((key, at) => ({ label: key, stroke: css("--line" + (at + 1)), width: 2, dash: DASHES[at], points: { show: false } })),
    ],
    hooks: { setCursor: [({ cursor }) => show(cursor.idx)] },
  }, data, target);
  new ResizeObserver(() => plot.setSize(size())).observe(target);
  return {
    redraw: () => plot.redraw(),
    draw(times) {
      data = [times, ...keys.map((key) => times.map((at) => points.get(at * 1000)?.[key] ?? null))];
      plot.setData(data);
      if (plot.cursor.idx == null || plot.cursor.left < 0) show();
    },
  };
});

function draw() {
  if (paused) return;
  const last = Math.max(...points.keys()) / 1000;
  // A step without figures is a gap in the line.
  const times = Array.from({ length: HOUR / step }, (_, at) => last - HOUR + (at + 1) * step);
  for (const chart of drawn) chart.draw(times);
}

function add(snapshot) {
  for (const point of snapshot.points) points.set(point.at, point);
  const oldest = Date.now() - HOUR * 1000;
  for (const at of points.keys()) if (at < oldest) points.delete(at);
  if (points.size > 0) draw();
}

const showState = (state, good) => {
  live.textContent = state;
  live.classList.toggle("good", good);
};
live.parentElement.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  draw();
});
const events = new EventSource("/status/events");
events.addEventListener("open", () => showState("Live", true));
events.addEventListener("error", () =>
  showState(events.readyState === EventSource.CLOSED ? "Not live: reload the page" : "Not live: connecting again", false));
for (const name of ["history", "points"]) events.addEventListener(name, ({ data }) => add(JSON.parse(data)));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((chart) => chart.redraw()));
`;
