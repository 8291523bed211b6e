import { rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cacheFolder } from "../../infra/paths.ts";
import { createApp } from "../../server/app.ts";
import { readConfig } from "../../server/config/config.ts";
import type { Figure } from "../figures.ts";
import { rpc } from "../json-rpc.ts";
import { npmPackage, scipPython } from "../packages.ts";
import { python } from "./subjects.ts";

type Arguments = Record<string, unknown>;
type Call = [tool: string, args: Arguments];

/** A question about rich 13.9.4, as an agent answers it. */
interface Question {
  asked: string;
  /** The argument of `explore`. */
  symbol: string;
  /** The calls without `explore`, in the order of an agent that does not know the code. */
  calls: Call[];
  /** What the answers must contain: the definition, its callers and its callees. */
  needs: RegExp[];
}

const definition = (name: string): Call => ["find_symbol", { name, include_body: true }];
const uses = (name: string): Call => ["find_references", { name }];

const QUESTIONS: Question[] = [
  {
    asked: "How does Console.print turn objects into text, and who calls it?",
    symbol: "Console.print",
    calls: [definition("Console.print"), definition("Console._collect_renderables"), uses("Console.print")],
    needs: [/def print\(/, /_collect_renderables/, /rich\/__init__\.py/],
  },
  {
    asked: "Where is console markup parsed, and from where?",
    symbol: "markup.render",
    calls: [
      ["search_text", { query: "def render(" }],
      definition("markup.render"),
      uses("markup.render"),
      definition("Text.from_markup"),
    ],
    needs: [/rich\/markup\.py/, /_parse/, /from_markup/],
  },
  {
    asked: "How are ANSI sequences decoded into Text?",
    symbol: "Text.from_ansi",
    calls: [
      definition("Text.from_ansi"),
      definition("AnsiDecoder"),
      uses("AnsiDecoder"),
      definition("AnsiDecoder.decode_line"),
    ],
    needs: [/def from_ansi/, /AnsiDecoder/, /decode_line/],
  },
  {
    asked: "What crops lines to the width of the console?",
    symbol: "Segment.split_and_crop_lines",
    calls: [
      definition("Segment.split_and_crop_lines"),
      uses("Segment.split_and_crop_lines"),
      definition("Segment.adjust_line_length"),
      definition("Console.render_lines"),
    ],
    needs: [/def split_and_crop_lines/, /adjust_line_length/, /render_lines/],
  },
  {
    asked: "How is the size of the terminal found, and what depends on it?",
    symbol: "Console.size",
    calls: [
      ["search_text", { query: "get_terminal_size" }],
      definition("Console.size"),
      uses("Console.size"),
      definition("Console.width"),
    ],
    needs: [/def size\(/, /get_terminal_size/, /def width|\bwidth\b/],
  },
  {
    asked: "How is a style such as 'bold red' parsed, and who parses styles?",
    symbol: "Style.parse",
    calls: [
      definition("Style.parse"),
      uses("Style.parse"),
      definition("Console.get_style"),
      definition("Color.parse"),
    ],
    needs: [/def parse\(/, /get_style/, /Color\.parse/],
  },
  {
    asked: "What refreshes a Live display?",
    symbol: "Live.refresh",
    calls: [
      definition("Live.refresh"),
      uses("Live.refresh"),
      definition("Live.update"),
      definition("_RefreshThread"),
    ],
    needs: [/def refresh\(/, /\bupdate\b/, /_RefreshThread/],
  },
  {
    asked: "How does track() measure progress?",
    symbol: "Progress.track",
    calls: [
      definition("Progress.track"),
      uses("Progress.track"),
      definition("_TrackThread"),
      definition("Progress.advance"),
    ],
    needs: [/def track\(/, /_TrackThread/, /advance/],
  },
  {
    asked: "How is a traceback built from an exception?",
    symbol: "Traceback.extract",
    calls: [
      definition("Traceback.extract"),
      uses("Traceback.extract"),
      definition("Traceback.from_exception"),
    ],
    needs: [/def extract\(/, /from_exception/, /safe_str/],
  },
  {
    asked: "How is the width of a string in cells computed?",
    symbol: "cell_len",
    calls: [
      ["search_text", { query: "cell_len" }],
      definition("cell_len"),
      definition("cached_cell_len"),
      definition("get_character_cell_size"),
      uses("cell_len"),
    ],
    needs: [/def cell_len\(/, /get_character_cell_size/, /rich\/text\.py/],
  },
];

interface Result {
  content: { text: string }[];
  structuredContent?: Record<string, unknown>;
}

interface Session {
  list(): Promise<{ name: string }[]>;
  call(tool: string, args: Arguments): Promise<string>;
  /** The structured content. */
  result(tool: string, args: Arguments): Promise<Record<string, unknown> | undefined>;
}

/** Tokens of the list of tools and of answers, and the calls until a question is answered, with and without `explore`. */
export async function questionFigures(): Promise<Figure[]> {
  const { encode } = await import(
    pathToFileURL(join(await npmPackage("gpt-tokenizer@4.0.0"), "esm/encoding/o200k_base.js")).href
  );
  const tokensOf = (text: string): number => encode(text).length;
  return withServer(async (session) => {
    const tools = await session.list();
    const figures = [figure("tools/list, tokens", tokensOf(JSON.stringify(tools)), `${tools.length} tools`)];
    const without = await answerAll(session, ({ calls }) => calls, tokensOf);
    figures.push(...callFigures("without explore", without));
    if (!tools.some(({ name }) => name === "explore")) return figures;
    const withExplore = await answerAll(
      session,
      ({ symbol, calls }) => [["explore", { query: symbol }], ...calls],
      tokensOf,
    );
    return [...figures, ...callFigures("with explore", withExplore)];
  });
}

interface Answered {
  question: Question;
  calls: number;
  tokens: number;
  isAnswered: boolean;
}

async function answerAll(
  { call }: Session,
  callsOf: (question: Question) => Call[],
  tokensOf: (text: string) => number,
): Promise<Answered[]> {
  const answered: Answered[] = [];
  for (const question of QUESTIONS) {
    let text = "";
    let calls = 0;
    const isAnswered = () => question.needs.every((need) => need.test(text));
    for (const [tool, args] of callsOf(question)) {
      if (isAnswered()) break;
      text += await call(tool, args);
      calls++;
    }
    answered.push({ question, calls, tokens: tokensOf(text), isAnswered: isAnswered() });
  }
  return answered;
}

function callFigures(how: string, answered: readonly Answered[]): Figure[] {
  const sum = (of: (one: Answered) => number) => answered.reduce((total, one) => total + of(one), 0);
  const open = answered.filter(({ isAnswered }) => !isAnswered).map(({ question }) => question.asked);
  const note = open.length === 0 ? "all answered" : `not answered: ${open.join(" ")}`;
  return [
    figure(
      `ten questions ${how}, calls`,
      sum(({ calls }) => calls),
      note,
    ),
    figure(
      `ten questions ${how}, tokens of the answers`,
      sum(({ tokens }) => tokens),
    ),
  ];
}

const figure = (what: string, ours: number, note?: string): Figure => ({
  what,
  unit: "count",
  ours,
  ...(note === undefined ? {} : { note }),
});

/** The whole server over rich, with its precise index. */
async function withServer<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const { root } = await python();
  const dir = cacheFolder("bench", "answers-server");
  await rm(dir, { recursive: true, force: true });
  const env = {
    WORKSPACE_DIR: root,
    INDEX_DIR: dir,
    INDEX_POLL_SECONDS: "1",
    INDEX_PYTHON: await scipPython(),
    LOG_LEVEL: "error",
  };
  const config = readConfig(env);
  const app = await createApp({
    config: { ...config, sessionsDir: undefined, audit: { ...config.audit, dir: undefined } },
  });
  try {
    await app.http.listen({ host: "127.0.0.1", port: 0 });
    await app.start();
    const { port } = app.http.server.address() as AddressInfo;
    const session = sessionAt(`http://127.0.0.1:${port}/mcp`);
    await untilPrecise(session);
    return await use(session);
  } finally {
    await app.close();
  }
}

function sessionAt(url: string): Session {
  const request = async <T>(method: string, params: object): Promise<T> => {
    const { result, error } = await rpc<T>(url, method, params);
    if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
  const called = (name: string, args: Arguments) => request<Result>("tools/call", { name, arguments: args });
  return {
    list: async () => (await request<{ tools: { name: string }[] }>("tools/list", {})).tools,
    call: async (name, args) => (await called(name, args)).content.map(({ text }) => text).join("\n"),
    result: async (name, args) => (await called(name, args)).structuredContent,
  };
}

/** Waits until the server has its precise index; at most five minutes. */
async function untilPrecise({ list, result }: Session): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const isReady = (await list()).some(({ name }) => name === "find_references");
    const found = isReady ? await result("find_references", { name: "Style.parse" }) : undefined;
    if (found?.precision === "precise") return;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error("the precise index was not made within five minutes");
}
