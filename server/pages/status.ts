import type { Person } from "../auth/people.ts";
import type { Point } from "../status/sample.ts";
import type { Snapshot } from "../status/snapshot.ts";
import { type Html, html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";
import { CHARTS, type Chart, valueText } from "./status-charts.ts";
import { minutes, time } from "./time.ts";

export interface StatusView {
  readonly snapshot: Snapshot;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether the reader is a person with an account page. */
  readonly account: boolean;
  /** Paths of what draws the charts; undefined: the page is text alone. */
  readonly assets: { readonly script: string; readonly style: string } | undefined;
}

const DAY_MS = 86_400_000;
/** Rows of the table, milliseconds apart. */
const ROW_MS = 5 * 60_000;

/** `/status`: the last hour of this machine. Without a script it shows the state of its moment. */
export function statusPage({ snapshot, now, account, assets }: StatusView): HtmlPage {
  const { points } = snapshot;
  return page({
    title: "Status",
    links: account ? [{ href: "/account", text: "Account" }] : [],
    live: assets !== undefined,
    ...(assets ? { scripts: [assets.script], styles: [assets.style] } : {}),
    body: html`<div class="head"><h1>Status</h1>
<p class="live" hidden><span class="badge" id="live" role="status">Connecting</span> <button type="button" class="quiet compact" id="pause" aria-pressed="false">Pause</button></p></div>
<p class="lead">This machine, the last hour.</p>
<div class="card"><dl class="facts">
<dt>Release</dt><dd id="instances">${instances(snapshot)}</dd>
<dt>Certificate</dt><dd>${certificate(snapshot, now)}</dd>
</dl></div>
<div class="charts" data-step="${snapshot.stepSeconds}">${CHARTS.map((chart) => figure(chart, points.at(-1)))}</div>
<details class="card"><summary>The hour as a table</summary>
<div class="scroll" role="region" aria-label="The hour as a table" tabindex="0">${table(points)}</div></details>
<p class="muted small">For scripts: <a href="/status.json">/status.json</a>, with a token of the scope <code>ops</code>. For Prometheus: <code>/metrics</code>.</p>`,
  });
}

/** For a person who is signed in and may not see it. */
export function noStatusPage(person: Person): HtmlPage {
  return page({
    title: "No access",
    width: "narrow",
    links: [{ href: "/account", text: "Account" }],
    body: html`<div class="card"><h1>You may not see this page</h1>
<div class="note bad" role="alert"><p>The status of the server needs the scope <code>ops</code>, which ${person.login} does not have.</p></div>
<p>The operator of this server gives it: <code>mcp-edge user add LOGIN --scopes code:read,ops</code></p></div>`,
  });
}

function instances({ instances }: Snapshot): Html {
  const names = instances.map(({ slot, release }) => {
    const short = release.slice(0, 12);
    return html`<code>${short}</code>${slot !== "" && html` in slot ${slot}`}`;
  });
  return html`${names.map((name, index) => (index === 0 ? name : html`, and ${name} until it has drained`))}`;
}

function certificate({ certificate }: Snapshot, now: number): Html {
  if (!certificate) return html`<span class="muted">not known here</span>`;
  const [from, to] = [Date.parse(certificate.from), Date.parse(certificate.to)];
  const left = Math.max(0, (to - now) / (to - from));
  const days = Math.max(0, Math.floor((to - now) / DAY_MS));
  const lasts = to < now ? "expired" : days === 1 ? "1 day left" : `${days} days left`;
  return html`<meter min="0" max="1" low="0.167" high="0.3" optimum="1" value="${left.toFixed(3)}" aria-label="Life of the certificate that is left">${Math.round(left * 100)}%</meter> ${lasts}, until ${time(to)}`;
}

function figure({ title, unit, series }: Chart, latest: Point | undefined): Html {
  const rows = series.map(
    ({ key, label }, index) =>
      html`<li><span class="key line${index + 1}"></span>${label} <output data-key="${key}">${valueText(latest?.[key], unit)}</output></li>`,
  );
  return html`<figure class="card chart" data-unit="${unit}"><figcaption><h2 class="label">${title}</h2><ul class="legend">${rows}</ul></figcaption>
<div class="plot" aria-hidden="true" hidden></div></figure>
`;
}

/** The step at the end of each five minutes. */
function table(points: readonly Point[]): Html {
  const rows = points.filter(({ at }, index) => at % ROW_MS === 0 || index === points.length - 1);
  const columns = CHARTS.flatMap(({ title, unit, series }) =>
    series.map(({ key, label }) => ({ key, unit, name: series.length > 1 ? `${title}, ${label}` : title })),
  );
  const suffix = (unit: string) => (unit === "" ? "" : ` (${unit})`);
  return html`<table><thead><tr><th scope="col">Time</th>${columns.map(({ name, unit }) => html`<th scope="col">${name}${suffix(unit)}</th>`)}</tr></thead>
<tbody>${rows
    .reverse()
    .map(
      (point) =>
        html`<tr><th scope="row">${minutes(point.at).slice(11)}</th>${columns.map(({ key }) => html`<td>${valueText(point[key], "")}</td>`)}</tr>\n`,
    )}</tbody></table>
${rows.length === 0 && html`<p>The first figures come within ten seconds.</p>`}`;
}
