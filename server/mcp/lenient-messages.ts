type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Messages as real clients send them, put into the form that the SDK validates. Serializers that write absent members as `null` add
 * `params`, `arguments`, `cursor` or `_meta`, and the `id` of notifications; models send the arguments of a tool as JSON text. No request of MCP
 * gives a `null` there a meaning, so it means "not given".
 *
 * The arguments themselves are the tool's business (see tools/lenient-arguments.ts), those of a prompt are texts or absent.
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
  const { id, params, ...rest } = message;
  return {
    ...rest,
    ...(id === undefined || (id === null && message.method.startsWith("notifications/")) ? {} : { id }),
    ...(params === undefined || params === null ? {} : { params: lenientParams(message.method, params) }),
  };
}

function lenientParams(method: string, params: unknown): unknown {
  if (!isObject(params)) return params;
  const given = withoutNulls(params);
  if (method !== "tools/call" && method !== "prompts/get") return given;
  const { arguments: args, ...rest } = given;
  const parsed = typeof args === "string" ? parsedArguments(args) : args;
  if (parsed === undefined || parsed === null) return rest;
  return { ...rest, arguments: method === "prompts/get" && isObject(parsed) ? withoutNulls(parsed) : parsed };
}

function withoutNulls(fields: Fields): Fields {
  return Object.values(fields).includes(null)
    ? Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
    : fields;
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
