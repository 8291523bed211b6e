/** One statement of an IAM policy document. Fields that may hold one value or many are always lists here. */
export interface Statement {
  sid: string;
  effect: string;
  actions: string[];
  resources: string[];
  /** `NotAction` or `NotResource` is used: the statement covers everything except what it names. */
  inverted: boolean;
  principal: unknown;
  condition?: Record<string, Record<string, unknown>>;
}

const list = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];

/**
 * The statements of a document as a resource holds it: JSON text or an object.
 * @throws SyntaxError when the text is no JSON
 */
export function statementsOf(document: unknown): Statement[] {
  const parsed = typeof document === "string" ? JSON.parse(document || "{}") : (document ?? {});
  const all = parsed.Statement ?? [];
  return (Array.isArray(all) ? [...all] : [all]).map((one) => ({
    sid: one.Sid ?? "",
    effect: one.Effect,
    actions: list(one.Action),
    resources: list(one.Resource),
    inverted: one.NotAction !== undefined || one.NotResource !== undefined,
    principal: one.Principal,
    ...(one.Condition === undefined ? {} : { condition: one.Condition }),
  }));
}

/** `"*"`, or an object with a `"*"` in it. */
export function isEverybody(principal: unknown): boolean {
  if (principal === "*") return true;
  if (typeof principal !== "object" || principal === null) return false;
  return Object.values(principal).some((value) => list(value).includes("*"));
}

/** `*`, or an ARN whose resource part is `*`. */
export function isEveryResource(resource: string): boolean {
  return /^\*+$/.test(resource) || /^arn:[^:]*:[^:]*:[^:]*:[^:]*:[*/]+$/.test(resource);
}
