import { type InputSchema, isEmptyList } from "../tools/arguments/input-schema.ts";
import { lenientArguments } from "../tools/arguments/lenient.ts";
import { PROMPT_ARGUMENTS, TEMPLATE_ARGUMENTS } from "./prompt-arguments.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Messages as real clients send them, put into the form that the SDK validates. Serializers that write absent members as `null` add
 * `params`, `arguments`, `cursor` or `_meta`, and the `id` of notifications; models send the arguments of a tool as JSON text. No request of MCP
 * gives a `null` there a meaning, so it means "not given". PHP writes an empty object as `[]`.
 *
 * The arguments of a tool are converted where the tool is called (see tools/arguments/lenient.ts), those of prompts and of completion here.
 *
 * Pure. Unknown content is passed through.
 *
 * @param body one message, or a batch
 */
export function lenientMessages(body: unknown): unknown {
  return Array.isArray(body) ? body.map(lenientMessage) : lenientMessage(body);
}

function lenientMessage(message: unknown): unknown {
  if (!isObject(message) || typeof message.method !== "string") return message;
  const { id, params } = message;
  const meant = params === undefined || params === null ? params : lenientParams(message.method, params);
  const nullId = id === null && message.method.startsWith("notifications/");
  // Most messages are as the SDK expects them. No copy is made then.
  if (meant === params && params !== null && !nullId) return message;
  const { id: _, params: __, ...rest } = message;
  return {
    ...rest,
    ...(id === undefined || nullId ? {} : { id }),
    ...(meant === undefined || meant === null ? {} : { params: meant }),
  };
}

function lenientParams(method: string, params: unknown): unknown {
  if (isEmptyList(params)) return undefined;
  if (!isObject(params)) return params;
  const given = withoutEmptyLists(withoutNulls(params));
  if (method === "completion/complete") return lenientCompletion(given);
  if (method !== "tools/call" && method !== "prompts/get") return given;
  const { arguments: args } = given;
  if (args === undefined || (method === "tools/call" && isObject(args))) return given;
  const parsed = typeof args === "string" ? parsedArguments(args) : args;
  const { arguments: _, ...rest } = given;
  if (parsed === undefined || parsed === null) return rest;
  return { ...rest, arguments: method === "prompts/get" ? promptArguments(given.name, parsed) : parsed };
}

function promptArguments(prompt: unknown, given: unknown): unknown {
  if (!isObject(given)) return given;
  const schema = typeof prompt === "string" ? PROMPT_ARGUMENTS[prompt] : undefined;
  return schema ? lenientArguments(given, schema) : withoutNulls(given);
}

/** The reference, the argument that is completed, and the arguments before it. */
function lenientCompletion({ ref, argument, context, ...rest }: Fields): Fields {
  const meant = isObject(ref) ? { ...ref, type: REF_TYPES[String(ref.type)] ?? ref.type } : ref;
  const schema = isObject(meant) ? completed(meant) : undefined;
  return {
    ...rest,
    ref: meant,
    argument: isObject(argument) ? completedArgument(argument, schema) : argument,
    ...(isObject(context) ? { context: lenientContext(context, schema) } : {}),
  };
}

const REF_TYPES: Readonly<Record<string, string>> = { prompt: "ref/prompt", resource: "ref/resource" };

const completed = ({ type, name }: Fields): InputSchema | undefined =>
  type === "ref/resource" ? TEMPLATE_ARGUMENTS : PROMPT_ARGUMENTS[String(name)];

/** What is typed so far may be empty. */
function completedArgument({ name, value, ...rest }: Fields, schema: InputSchema | undefined): Fields {
  const text = value === undefined || value === null ? "" : String(value);
  const named = schema && typeof name === "string" ? lenientArguments({ [name]: "x" }, schema) : undefined;
  const [meant = name] = isObject(named) ? Object.keys(named) : [];
  return { ...rest, name: meant, value: text };
}

function lenientContext({ arguments: given, ...rest }: Fields, schema: InputSchema | undefined): Fields {
  const args = typeof given === "string" ? parsedArguments(given) : given;
  if (!isObject(args)) return args === undefined || args === null ? rest : { ...rest, arguments: args };
  return { ...rest, arguments: schema ? lenientArguments(args, schema) : withoutNulls(args) };
}

function withoutNulls(fields: Fields): Fields {
  return Object.values(fields).includes(null)
    ? Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
    : fields;
}

/** The members of params that are objects: PHP writes an empty one as `[]`. */
const OBJECTS = ["arguments", "_meta", "capabilities"];

function withoutEmptyLists(params: Fields): Fields {
  if (!OBJECTS.some((name) => isEmptyList(params[name]))) return params;
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      OBJECTS.includes(name) && isEmptyList(value) ? {} : value,
    ]),
  );
}

/** @returns null for text that means no arguments, the text itself when it holds no object */
function parsedArguments(text: string): unknown {
  if (text.trim() === "") return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed === null || isObject(parsed) ? parsed : text;
  } catch {
    return text;
  }
}
