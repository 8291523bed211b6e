import { rm } from "node:fs/promises";
import { cacheFolder } from "../infra/paths.ts";
import { Capabilities } from "../server/capabilities/registry.ts";
import { CodeIndex } from "../server/index/code-index.ts";
import { treeState } from "../server/index/work-tree.ts";
import { Workspace } from "../server/workspace/workspace.ts";
import { definitions, type Query, references, type Truth, truthsOf } from "./answers/agreement.ts";
import { questionFigures } from "./answers/questions.ts";
import { SUBJECTS, type Subject } from "./answers/subjects.ts";
import type { Figure } from "./figures.ts";
import { scipPython } from "./packages.ts";

/**
 * How well the answers agree with those of a compiler's front end, over repositories in three languages, and what answers cost: tokens, and
 * calls for typical questions.
 */
export async function answerFigures(log: (line: string) => void = () => undefined): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const make of SUBJECTS) {
    const subject = await make();
    log(subject.name);
    figures.push(...(await agreement(subject)));
  }
  log("tokens and calls");
  return [...figures, ...(await questionFigures())];
}

async function agreement(subject: Subject): Promise<Figure[]> {
  const { name, root, scip, isBuiltIn } = subject;
  const truths = await truthsOf(scip);
  const dir = cacheFolder("bench", "answers-index");
  await rm(dir, { recursive: true, force: true });
  const workspace = new Workspace({ kind: "single", dir: root });
  const capabilities = new Capabilities();
  const quiet = { info: () => undefined, warn: () => undefined };
  const python = await scipPython();
  const index = new CodeIndex({ dir, workspace, capabilities, pollSeconds: 3_600, python, log: quiet });
  await index.start();
  await index.refresh();
  try {
    const [repo] = await workspace.repositories();
    if (!repo) throw new Error(`${root} is no repository`);
    const { signal } = new AbortController();
    const query: Query = (job, args) => index.query(job, repo, args, { signal });
    const lexical = await both(query, truths);
    if (isBuiltIn) await index.refreshPrecise();
    else await index.importScip(repo, { file: scip, commit: (await treeState(root)).commit ?? "" }, signal);
    const precise = await both(query, truths);
    return [
      ...lexical.map((figure) => ({ ...figure, what: `${name}, lexical: ${figure.what}` })),
      ...precise.map((figure) => ({
        ...figure,
        what: `${name}, precise: ${figure.what}`,
        promise: ">= 0.99",
      })),
    ];
  } finally {
    await index.close();
  }
}

const both = async (query: Query, truths: readonly Truth[]) => [
  ...(await references(query, truths)),
  ...(await definitions(query, truths)),
];
