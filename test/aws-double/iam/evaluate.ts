import { isObject, type Props } from "../values.ts";

/**
 * IAM's decision on one request (IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition
 * operators"), as far as the policies of this project go. Pure.
 */
export interface Request {
  action: string;
  resource: string;
  /** Condition keys of the request, e.g. `aws:RequestTag/Project`. Keys compare without regard to case. */
  context?: Context;
}

/** A list is a key of many values, such as `aws:TagKeys`. */
export type Context = Record<string, string | readonly string[]>;

const list = (value: unknown): string[] =>
  value === undefined ? [] : (Array.isArray(value) ? value : [value]).map(String);

/** A run evaluates the same few hundred patterns thousands of times. */
const compiled = new Map<string, RegExp>();

function matches(pattern: string, value: string, caseless = false): boolean {
  const key = `${caseless} ${pattern}`;
  let found = compiled.get(key);
  if (!found) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    found = new RegExp(`^${source}$`, caseless ? "is" : "s");
    compiled.set(key, found);
  }
  return found.test(value);
}

/**
 * The values of a key. Two tags whose keys differ only in case are one condition key. EC2 compares with one of them and does
 * not document which, so no policy may depend on it.
 */
function valuesOf(key: string, context: Context): readonly string[] | undefined {
  const found = Object.entries(context).filter(([one]) => one.toLowerCase() === key.toLowerCase());
  if (found.length > 1) return ["(ambiguous)"];
  const value = found[0]?.[1];
  return typeof value === "string" ? [value] : value;
}

/** `${aws:PrincipalAccount}` and the like; a variable that is not known matches nothing. */
const filled = (pattern: string, context: Context) =>
  pattern.replaceAll(/\$\{([\w:/]+)\}/g, (_, key) => valuesOf(key, context)?.[0] ?? "\u0000");

const numbers = (compare: (got: number, wanted: number) => boolean) => (wanted: string, got: string) =>
  compare(Number(got), Number(wanted));

/** Whether one value of the request meets one value of the policy. */
const TESTS: Record<string, (wanted: string, got: string) => boolean> = {
  StringEquals: (wanted, got) => got === wanted,
  StringEqualsIgnoreCase: (wanted, got) => got.toLowerCase() === wanted.toLowerCase(),
  StringLike: (wanted, got) => matches(wanted, got),
  ArnEquals: (wanted, got) => matches(wanted, got),
  ArnLike: (wanted, got) => matches(wanted, got),
  Bool: (wanted, got) => got.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: numbers((got, wanted) => got === wanted),
  NumericLessThan: numbers((got, wanted) => got < wanted),
  NumericGreaterThan: numbers((got, wanted) => got > wanted),
};

function keyHolds(operator: string, wanted: string[], got: readonly string[] | undefined): boolean {
  const [quantifier, name] = operator.includes(":") ? operator.split(":") : [undefined, operator];
  const base = (name ?? "").replace(/IfExists$/, "");
  if (base === "Null") return wanted[0] === String(got === undefined);
  if (got === undefined && base !== name) return true;
  const negated = /^(String|Arn|Numeric)Not/.test(base);
  const test = TESTS[negated ? base.replace("Not", "") : base];
  // An unknown operator throws, so that no test passes or fails by mistake.
  if (!test)
    throw new Error(
      `The double's IAM has no operator ${operator}: add it in test/aws-double/iam/evaluate.ts`,
    );
  const meets = (one: string) => wanted.some((value) => test(value, one)) !== negated;
  if (quantifier === "ForAllValues") return (got ?? []).every(meets);
  if (got === undefined) return negated && quantifier === undefined;
  return got.some(meets);
}

function conditionsHold(condition: unknown, context: Context): boolean {
  if (!isObject(condition)) return true;
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(isObject(keys) ? keys : {}).every(([key, wanted]) =>
      keyHolds(
        operator,
        list(wanted).map((value) => filled(value, context)),
        valuesOf(key, context),
      ),
    ),
  );
}

function applies(statement: Props, { action, resource, context = {} }: Request): boolean {
  const names = (value: unknown, asked: string, caseless: boolean) =>
    list(value).some((pattern) => matches(filled(pattern, context), asked, caseless));
  return (
    (statement.NotAction === undefined
      ? names(statement.Action, action, true)
      : !names(statement.NotAction, action, true)) &&
    (statement.NotResource === undefined
      ? names(statement.Resource, resource, false)
      : !names(statement.NotResource, resource, false)) &&
    conditionsHold(statement.Condition, context)
  );
}

/** Whether one of the documents allows the request and none denies it. */
export function allowed(documents: Props[], request: Request): boolean {
  const statements = documents.flatMap(({ Statement }) =>
    (Array.isArray(Statement) ? Statement : [Statement]).filter(isObject),
  );
  const effects = statements.filter((one) => applies(one, request)).map(({ Effect }) => Effect);
  return effects.includes("Allow") && !effects.includes("Deny");
}
