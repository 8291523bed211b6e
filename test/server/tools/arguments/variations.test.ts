import { expect, test } from "@jest/globals";
import fc from "fast-check";
import * as z from "zod";
import { isExact } from "../../../../server/tools/arguments/exact.ts";
import type { InputSchema } from "../../../../server/tools/arguments/input-schema.ts";
import { lenientArguments } from "../../../../server/tools/arguments/lenient.ts";
import { wireSchemas } from "../../../../server/tools/arguments/wire-schema.ts";
import { TOOLS } from "../../../../server/tools/index.ts";

type Tool = (typeof TOOLS)[number];
const inputOf = (tool: Tool) => z.toJSONSchema(tool.input, { io: "input" }) as InputSchema;

/** Texts without a meaning of their own as JSON, number, boolean, URI or list. */
const word = fc.stringMatching(/^[a-z]{3,8}(\/[a-z]{3,8}){0,2}$/);

function valueFor(schema: InputSchema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.type === "boolean") return fc.boolean();
  if (schema.type === "integer")
    return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1_000, 1_000) });
  if (schema.type === "array") return fc.array(valueFor(schema.items ?? {}), { minLength: 1, maxLength: 3 });
  return word;
}

/** Ways in which clients and models spell a value or a name. They keep the meaning. */
const SPELLINGS: Record<string, (value: unknown, schema: InputSchema) => unknown> = {
  plain: (value) => value,
  "JSON text": (value) => (Array.isArray(value) ? JSON.stringify(value) : value),
  "text with commas": (value) => (Array.isArray(value) ? value.join(", ") : value),
  "one for a list": (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value),
  "number as text": (value) => (typeof value === "number" ? String(value) : value),
  "number with a point": (value) => (typeof value === "number" ? `${value}.0` : value),
  "boolean as text": (value) => (typeof value === "boolean" ? String(value) : value),
  "boolean of Python": (value) => (typeof value === "boolean" ? (value ? "True" : "False") : value),
  "boolean as number": (value) => (typeof value === "boolean" ? Number(value) : value),
  "upper case": (value, schema) => (schema.enum ? String(value).toUpperCase() : value),
  "list of one": (value) => (typeof value === "string" ? [value] : value),
};
const NAMES: Record<string, (name: string) => string> = {
  plain: (name) => name,
  camelCase: (name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  "kebab-case": (name) => name.replaceAll("_", "-"),
  upper: (name) => name.toUpperCase(),
};

test.each(TOOLS.map((tool) => [tool.name, tool] as const))("%s takes any spelling", async (_, tool) => {
  const { properties = {}, required = [] } = inputOf(tool);
  const names = Object.keys(properties);
  const sound = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueFor(schema)])),
    { requiredKeys: [...required] },
  );
  const spelling = fc.tuple(
    fc.constantFrom(...Object.values(SPELLINGS)),
    fc.constantFrom(...Object.values(NAMES)),
  );
  const { validate } = wireSchemas(tool).input["~standard"];
  await fc.assert(
    fc.asyncProperty(
      sound,
      fc.array(spelling, { minLength: names.length, maxLength: names.length }),
      fc.constantFrom(null, "", undefined),
      async (args, spellings, absent) => {
        const plain = await validate(args);
        expect(plain.issues).toBeUndefined();
        const spelled = Object.fromEntries(
          names.flatMap((name, n) => {
            const [value, key] = spellings[n] ?? [];
            if (!value || !key) return [];
            if (!(name in args)) return [[key(name), absent]];
            return [[key(name), value(args[name], properties[name] ?? {})]];
          }),
        );
        expect(await validate(spelled)).toEqual(plain);
        expect(await validate(JSON.stringify(spelled))).toEqual(plain);
      },
    ),
    { numRuns: 50 },
  );
});

test.each(TOOLS.map((tool) => [tool.name, tool] as const))(
  "%s gets arguments that need no conversion as the conversion would leave them",
  (_, tool) => {
    const schema = inputOf(tool);
    const odd = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constantFrom(null, "", '["a"]', "-1"));
    const values = Object.entries(schema.properties ?? {}).map(([name, property]) => [
      name,
      fc.oneof({ weight: 4, arbitrary: valueFor(property) }, { weight: 1, arbitrary: odd }),
    ]);
    fc.assert(
      fc.property(fc.record(Object.fromEntries(values), { requiredKeys: [] }), (args) => {
        if (!isExact(args, schema)) return;
        // A wrapper around them has them converted.
        expect(lenientArguments({ arguments: args }, schema)).toEqual(args);
      }),
      { numRuns: 200 },
    );
  },
);
