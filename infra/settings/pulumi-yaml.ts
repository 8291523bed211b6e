import { NAMESPACE } from "./errors.ts";
import { defaultOf, formOf, metaOf } from "./meta.ts";
import { SCHEMAS, type Schemas } from "./schemas.ts";

/**
 * The `config:` part of Pulumi.yaml: description and default of each key, so that the engine knows them too. Not there are
 * - a key without one default for all targets: to the engine, a key without a default is one that every stack must set;
 * - a secret: its default would have to be encrypted.
 *
 * Lists and objects have no `type`. The engine would check it before the program starts, and say of a text where a list belongs no
 * more than "must be of type 'array<string>'"; the program names the command that writes it right.
 */
export function projectConfig(schemas: Schemas = SCHEMAS): Record<string, object> {
  const keys = [...new Set(Object.values(schemas).flatMap((shape) => Object.keys(shape)))];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const owners = Object.values(schemas).flatMap((shape) => shape[key] ?? []);
      const [schema] = owners;
      if (!schema) return [];
      const { secret, description } = metaOf(schema);
      const fallback = defaultOf(schema);
      const same = owners.every((other) => JSON.stringify(defaultOf(other)) === JSON.stringify(fallback));
      if (secret || !same || fallback === undefined || fallback === "") return [];
      const type = { number: "integer", boolean: "boolean", string: "string", list: "", object: "" }[
        formOf(schema).kind
      ];
      return [[`${NAMESPACE}:${key}`, { ...(type ? { type } : {}), description, default: fallback }]];
    }),
  );
}
