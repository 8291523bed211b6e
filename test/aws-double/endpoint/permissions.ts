import { isObject, type Props } from "../values.ts";

/** What a role's policies allow (IAM user guide, "Policy evaluation logic"), as far as the program's policies go. */
export interface Request {
  action: string;
  resource: string;
  /** Condition keys of the request, e.g. `s3:prefix`. */
  context?: Record<string, string>;
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String);

const matches = (pattern: string, value: string, caseless = false) => {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, caseless ? "i" : "").test(value);
};

const OPERATORS: Record<string, (wanted: string[], got: string | undefined) => boolean> = {
  StringEquals: (wanted, got) => got !== undefined && wanted.includes(got),
  StringLike: (wanted, got) => got !== undefined && wanted.some((pattern) => matches(pattern, got)),
  Bool: (wanted, got) => got !== undefined && wanted.includes(got),
};

function conditionsHold(condition: unknown, context: Record<string, string>): boolean {
  if (!isObject(condition)) return true;
  return Object.entries(condition).every(([operator, keys]) => {
    const holds = OPERATORS[operator];
    // An operator that this does not know never holds: a test then fails loudly instead of passing for nothing.
    if (!holds || !isObject(keys)) return false;
    return Object.entries(keys).every(([key, wanted]) => holds(list(wanted), context[key]));
  });
}

function applies(statement: Props, { action, resource, context = {} }: Request): boolean {
  return (
    list(statement.Action).some((pattern) => matches(pattern, action, true)) &&
    list(statement.Resource).some((pattern) => matches(pattern, resource)) &&
    conditionsHold(statement.Condition, context)
  );
}

/** Does one of the documents allow it, and none deny it? */
export function allowed(documents: Props[], request: Request): boolean {
  const statements = documents.flatMap(({ Statement }) =>
    (Array.isArray(Statement) ? Statement : [Statement]).filter(isObject),
  );
  const effects = statements.filter((one) => applies(one, request)).map(({ Effect }) => Effect);
  return effects.includes("Allow") && !effects.includes("Deny");
}
