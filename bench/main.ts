import { parseArgs } from "node:util";
import { TOPOLOGIES } from "../cloud-init/topology.ts";
import { answerFigures } from "./answers.ts";
import { chosenEvents, edgeRows } from "./edge/index.ts";
import { type EdgeRow, renderRows } from "./edge/report.ts";
import { type Figure, render } from "./figures.ts";
import { machineFigures } from "./machine.ts";
import { protocolFigures } from "./protocols.ts";
import { serverFigures } from "./server.ts";
import { STREAM_KINDS, streamFigures } from "./streams.ts";
import { toolFigures } from "./tools.ts";

const PARTS = ["machine", "edge", "protocols", "server", "streams", "tools", "answers"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    /** Take the cached root filesystem for the first machine too: quicker, and no figure for a cold start. */
    warm: { type: "boolean", default: false },
    /** Of the part streams. */
    churn: { type: "string", default: "60" },
    kind: { type: "string", multiple: true, default: [] },
    /** Of the part edge. */
    event: { type: "string", multiple: true, default: [] },
    requests: { type: "string", default: "10000" },
    topology: { type: "string", default: "terminate" },
    help: { type: "boolean", short: "h", default: false },
  },
});

const unknown = positionals.filter((part) => !PARTS.includes(part));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no part ${unknown.join(", ")}.`);
  console.log(`npm run bench [-- PART ...] [-- --warm] [-- --json]
       npm run bench -- streams [--churn SECONDS] [--kind ${STREAM_KINDS.join("|")} ...]
       npm run bench -- edge [--topology terminate|passthrough] [--event NAME ...] [--requests N]

Measures, and prints each figure beside what it is compared with in the same run. Parts (default: all):
  machine  boots machines, changes a release under load, removes them; needs what \`npm run up\` needs; two minutes
  edge     what each event costs clients (a release, changes of NGINX, processes that are killed, a reboot): --requests N during each
           (default 10,000, 200 a second) over HTTP/1.1, HTTP/2 and HTTP/3, 60 open streams, and a banned client; --event NAME leaves
           out the others; --topology passthrough has two machines; ten minutes
  protocols  calls a second through NGINX over HTTP/1.1, HTTP/2 and HTTP/3, beside the server's own socket, and the processor time of each;
           needs go and root; one minute
  server   calls and lists a second on one core, beside node:http and other MCP servers (Python, Go, Rust, TypeScript); nine minutes,
           and more the first time, when the others are built
  streams  memory of 10,000 open streams of each kind, and after --churn SECONDS of coming and going (default 60); --kind leaves
           out the others; seven minutes
  tools    repeated calls over this repository beside git, and the tools over a repository of a million lines beside ripgrep; three minutes
  answers  references and definitions beside those of compilers, over repositories in TypeScript, Python and Go; tokens, and calls for
           ten questions; needs go and python3; five minutes, and more the first time`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const topology = TOPOLOGIES.find((one) => one === values.topology);
const requests = Number(values.requests);
try {
  if (topology === undefined)
    throw new Error(`--topology is one of ${TOPOLOGIES.join(", ")}, not ${values.topology}.`);
  if (!Number.isInteger(requests) || requests < 1_000)
    throw new Error(`--requests is a number from 1000 on, not ${values.requests}.`);
  const kind = values.kind.find((one) => !STREAM_KINDS.includes(one));
  if (kind !== undefined) throw new Error(`--kind is one of ${STREAM_KINDS.join(", ")}, not ${kind}.`);
  chosenEvents(topology, values.event);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}

const log = (line: string) => console.error(line);
const wanted = (part: string) => positionals.length === 0 || positionals.includes(part);
const figures: Figure[] = [];
if (wanted("machine")) figures.push(...(await machineFigures({ warm: values.warm, log })));
const rows: EdgeRow[] = wanted("edge")
  ? await edgeRows({ topology, events: values.event, requests, log })
  : [];
if (wanted("protocols")) figures.push(...(await protocolFigures(log)));
if (wanted("server")) figures.push(...(await serverFigures(log)));
if (wanted("streams")) figures.push(...(await streamFigures(Number(values.churn), values.kind, log)));
if (wanted("tools")) figures.push(...(await toolFigures(log)));
if (wanted("answers")) figures.push(...(await answerFigures(log)));
if (values.json) console.log(JSON.stringify(wanted("edge") ? { figures, events: rows } : figures, null, 2));
else {
  if (figures.length > 0) console.log(render(figures));
  if (rows.length > 0) console.log(renderRows(rows));
}
