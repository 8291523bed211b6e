import { distance } from "fastest-levenshtein";
import { defaultOf, formOf, metaOf, type Shape } from "./meta.ts";

/** Where the project's settings are in a stack's configuration. */
export const NAMESPACE = "mcp-edge";

/** All problems of a configuration at once, each with the command that fixes it. */
export class SettingsError extends Error {
  override name = "SettingsError";
  readonly problems: string[];
  constructor(stack: string, problems: string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The settings of stack "${stack}" have ${count}:\n${problems.map((p) => `  - ${p}`).join("\n")}`);
    this.problems = problems;
  }
}

/** A key, and inside a list or an object the element. */
export type Path = readonly [string, ...(string | number)[]];

/** As `pulumi config set --path` takes it. */
export const pathText = ([key, ...inner]: Path): string =>
  [
    `${NAMESPACE}:${key}`,
    ...inner.map((part) => {
      if (typeof part === "number") return `[${part}]`;
      return /^[A-Za-z_][\w-]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    }),
  ].join("");

/** A word for a shell. */
const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The commands that change the settings of one stack. */
export class Commands {
  readonly #stack: string;
  readonly #shape: Shape;
  readonly #local: boolean;

  /** @param shape of the stack's target */
  constructor(stack: string, shape: Shape, local: boolean) {
    this.#stack = stack;
    this.#shape = shape;
    this.#local = local;
  }

  /**
   * Set one value; without one, the example of the schema. A secret's value is left to pulumi's prompt, or for a stack of this host, whose
   * secrets are encrypted by the checkout's own passphrase, to a file.
   */
  set(path: Path, value?: unknown): string {
    const [key, ...inner] = path;
    const { secret } = this.#meta(key);
    if (secret && this.#local)
      return `npm run up -- --set ${key}=@FILE, where FILE has ${JSON.stringify(this.#example(key))}`;
    const at = inner.length > 0 || !this.#structured(key) ? path : this.#firstOf(key);
    const word = value ?? this.#exampleAt(at);
    return [
      `pulumi config set ${at.length > 1 ? "--path " : ""}${quoted(pathText(at))}`,
      ...(secret ? ["--secret"] : [quoted(String(word))]),
      `--stack ${this.#stack} (Pulumi.${this.#stack}.yaml)${secret ? "" : this.#orUp(key, at, word)}`,
    ].join(" ");
  }

  /** Write a list or an object in place of what is there. */
  replace(key: string, value: object): string {
    const parts = Object.entries(value).map(([part, one]) => {
      const path: Path = [key, Array.isArray(value) ? Number(part) : part];
      return `--plaintext ${quoted(`${pathText(path)}=${one}`)}`;
    });
    return `pulumi config set-all --path ${parts.join(" ")} --stack ${this.#stack} (Pulumi.${this.#stack}.yaml)`;
  }

  remove(path: Path): string {
    const [key] = path;
    const up = this.#local && path.length === 1 ? `, or npm run up -- --set ${key}=` : "";
    return `pulumi config rm ${path.length > 1 ? "--path " : ""}${quoted(pathText(path))} --stack ${this.#stack} (Pulumi.${this.#stack}.yaml)${up}`;
  }

  #meta = (key: string) => metaOf(this.#shape[key] as Shape[string]);

  #structured = (key: string) => ["list", "object"].includes(formOf(this.#shape[key] as Shape[string]).kind);

  #example(key: string): unknown {
    return this.#meta(key).example ?? defaultOf(this.#shape[key] as Shape[string]);
  }

  #firstOf(key: string): Path {
    const example = this.#example(key);
    return [key, Array.isArray(example) ? 0 : (Object.keys(example as object)[0] ?? "NAME")];
  }

  /** The example's value at a place; where it has none, its first one there. */
  #exampleAt([key, ...inner]: Path): unknown {
    return inner.reduce((at: unknown, part) => {
      const known = at as Record<string | number, unknown>;
      return known[part] ?? Object.values(known)[0];
    }, this.#example(key));
  }

  /** `up` alone keeps settings of its own, and for this host alone. */
  #orUp(key: string, path: Path, value: unknown): string {
    if (!this.#local) return "";
    const [, ...inner] = path;
    const whole =
      inner.length === 0
        ? String(value)
        : JSON.stringify(
            inner.reduceRight<unknown>(
              (at, part) => (typeof part === "number" ? [at] : { [part]: at }),
              value,
            ),
          );
    return `, or npm run up -- --set ${quoted(`${key}=${whole}`)}`;
  }
}

/** The known key that was probably meant: at most a third of the word is another. */
export function nearest(key: string, known: string[]): string | undefined {
  const far = (one: string) => distance(key.toLowerCase(), one.toLowerCase());
  const best = known.toSorted((a, b) => far(a) - far(b))[0];
  return best !== undefined && far(best) <= Math.min(3, key.length / 3) ? best : undefined;
}
