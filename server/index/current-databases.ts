import type { CallContext } from "../shares/progress.ts";
import { ToolError } from "../tool-error.ts";
import type { Repository } from "../workspace/workspace.ts";
import { IndexFolder } from "./folder.ts";
import type { IndexStates } from "./index-states.ts";

/** How long a call that reports progress waits for an index that is being built, milliseconds. */
const BUILD_WAIT_MS = 60_000;

/** Finds the database file of a repository's index, as it is now. */
export class CurrentDatabases {
  readonly #dir: string;
  readonly #states: IndexStates;
  /** Whether the folder of the indexes can be used. */
  isUsable = false;

  constructor(dir: string, states: IndexStates) {
    this.#dir = dir;
    this.#states = states;
  }

  /** @returns undefined if there is no index yet */
  async find({ root }: Pick<Repository, "root">): Promise<string | undefined> {
    return this.isUsable ? new IndexFolder(this.#dir, root).current() : undefined;
  }

  /** The same. A call that reports progress waits for a first build. @throws ToolError if there is no index yet */
  async require(repo: Repository, { signal, progress }: CallContext): Promise<string> {
    const folder = new IndexFolder(this.#dir, repo.root);
    let database = await folder.current();
    if (database === undefined && progress && this.isUsable) {
      await this.#states.built(repo.root, {
        signal,
        limitMs: BUILD_WAIT_MS,
        onState: ({ done = 0, total }) => progress(done, total, `building the index of ${repo.name}`),
      });
      database = await folder.current();
    }
    if (database === undefined) throw new ToolError(this.#whyMissing(repo));
    return database;
  }

  #whyMissing({ root, name }: Repository): string {
    const { state, done, total, reason } = this.#states.get(root);
    if (state === "failed") return `Repository ${name} could not be indexed: ${reason} Use search_text.`;
    const progress = total ? ` (${done} of ${total} files)` : "";
    return `The index of repository ${name} is being built${progress}. Try again soon, or use search_text.`;
  }
}
