import picomatch from "picomatch";
import type { Principal, Scope } from "../auth/principal.ts";
import type { Tool } from "../tools/tool.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Grant } from "./parse-grants.ts";

type Named = Pick<Tool, "name" | "scope">;

/** Files as resources show what this tool shows. */
const FILES: Named = { name: "read_file", scope: "code:read" };
/** Prompts hold files and differences. */
const DIFFERENCES: Named = { name: "git_diff", scope: "code:read" };

/** What one caller may see. What they may not see does not exist for them. */
export interface Access {
  /** The same for two callers who see the same. */
  readonly key: string;
  /** Whether the tool exists for the caller. Whether the token's scopes suffice is another question. */
  grants(tool: Named): boolean;
  /** Whether the caller may call the tool. */
  allows(tool: Named): boolean;
  /** The repositories that exist for the caller in this tool. */
  workspace(tool: Named, workspace: Workspace): Workspace;
  /** The repositories whose files exist as resources; undefined: there are no resources. */
  resources(workspace: Workspace): Workspace | undefined;
  /** The repositories of prompts; undefined: there are no prompts. */
  prompts(workspace: Workspace): Workspace | undefined;
  /** Whether a repository exists for the caller in any tool. */
  seesRepository(name: string): boolean;
}

/** A caller with every right, for what the server does for all callers. */
export const EVERYTHING: Principal = { id: "", name: "", scopes: ["code:read", "ops"] };

interface Rule {
  readonly grant: Grant;
  readonly scope: (scope: Scope) => boolean;
  readonly tool: (name: string) => boolean;
  readonly repository: (name: string) => boolean;
  /** Of `repository`: rules with the same text match the same names. */
  readonly repositories: string;
}

const ALL: Rule = ruleOf({ who: "*" });

/** Accesses that are kept: one for each set of rules and scopes that some caller has. */
const MAX_KNOWN = 1_000;

/** Who may see what. Without any grant, each caller sees what the token's scopes permit. */
export class Grants {
  readonly #rules: readonly Rule[];
  readonly #known = new Map<string, Access>();
  /** A caller's token stands for the same object in each request. */
  readonly #byPrincipal = new WeakMap<Principal, Access>();

  constructor(grants: readonly Grant[] = []) {
    this.#rules = grants.map(ruleOf);
  }

  access(principal: Principal): Access {
    let access = this.#byPrincipal.get(principal);
    if (!access) {
      access = this.#find(principal);
      this.#byPrincipal.set(principal, access);
    }
    return access;
  }

  #find(principal: Principal): Access {
    const matching = this.#matching(principal);
    const key = `${matching.map((rule) => this.#rules.indexOf(rule)).join()} ${principal.scopes.join()}`;
    const known = this.#known.get(key) ?? accessOf(key, matching, principal.scopes);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }

  /** The principal with those of their scopes that are granted. */
  limited(principal: Principal): Principal {
    const matching = this.#matching(principal);
    const scopes = principal.scopes.filter((scope) => matching.some((rule) => rule.scope(scope)));
    return scopes.length === principal.scopes.length ? principal : { ...principal, scopes };
  }

  #matching(principal: Principal): readonly Rule[] {
    if (this.#rules.length === 0 || principal === EVERYTHING) return [ALL];
    const names = namesOf(principal);
    return this.#rules.filter(({ grant }) => names.has(grant.who));
  }
}

/** What a principal is called in `who`. */
function namesOf({ id, kind = "token", name, login, groups = [] }: Principal): ReadonlySet<string> {
  const own = {
    anonymous: [],
    token: [`token:${id}`, `token:${name}`],
    person: login === undefined ? [] : [`user:${login}`],
    // Another issuer's names may be what people call themselves; its subjects are not.
    issuer: [`user:${id.replace(/^sub:/, "")}`],
  }[kind];
  return new Set(["*", ...own, ...groups.map((group) => `group:${group}`)]);
}

function ruleOf(grant: Grant): Rule {
  const matcher = (patterns: readonly string[] | undefined) =>
    patterns === undefined ? () => true : picomatch([...patterns], { dot: true, nonegate: true });
  return {
    grant,
    scope: (scope) => grant.scopes?.includes(scope) ?? true,
    tool: matcher(grant.tools),
    repository: matcher(grant.repositories),
    repositories: grant.repositories?.join() ?? "",
  };
}

function accessOf(key: string, rules: readonly Rule[], scopes: readonly Scope[]): Access {
  const views = new WeakMap<Workspace, Map<string, Workspace>>();
  const granting = (tool: Named) => rules.filter((rule) => rule.scope(tool.scope) && rule.tool(tool.name));
  const grants = (tool: Named) => granting(tool).length > 0;
  const allows = (tool: Named) => scopes.includes(tool.scope) && grants(tool);

  /** The repositories that exist for the caller in all of these tools. */
  const view = (workspace: Workspace, ...tools: Named[]): Workspace => {
    const limits = tools.map(granting).filter((all) => !all.some((rule) => rule.repositories === ""));
    if (limits.length === 0) return workspace;
    const id = limits.map((all) => all.map((rule) => rule.repositories).join("|")).join("&");
    const known = views.get(workspace) ?? new Map<string, Workspace>();
    views.set(workspace, known);
    const limited =
      known.get(id) ??
      workspace.limitedTo((name) => limits.every((all) => all.some((rule) => rule.repository(name))));
    known.set(id, limited);
    return limited;
  };
  return {
    key,
    grants,
    allows,
    workspace: (tool, workspace) => view(workspace, tool),
    resources: (workspace) => (allows(FILES) ? view(workspace, FILES) : undefined),
    prompts: (workspace) =>
      allows(FILES) && allows(DIFFERENCES) ? view(workspace, FILES, DIFFERENCES) : undefined,
    seesRepository: (name) =>
      scopes.includes("code:read") && rules.some((rule) => rule.scope("code:read") && rule.repository(name)),
  };
}
