import type { Node, Tree } from "web-tree-sitter";
import { type DeclaredType, receiverTypes } from "./receiver-type.ts";

/** How a name is written at a place: what its surroundings tell without types. */
export interface UseContext {
  /** `member`: after a receiver. `key`: of an object, or a named argument. `plain`: a name of its own. */
  form: "plain" | "member" | "key" | "shorthand";
  /** The last name before the dot: "session" in `this.session.close`. "" for an expression without one. */
  receiver: string | undefined;
  /** The type that the declaration of the receiver in this file names, or that of the pattern `{ name }: Type`. */
  receiverType: string | undefined;
  /** The function whose result the receiver is, or that of `const { name } = call()`, if no type is named. */
  receiverCall: string | undefined;
  /** What is called with the object that has the key, or with the named argument. */
  callee: string | undefined;
  /** The innermost class around it. */
  holder: string | undefined;
  /** True if a parameter or a local variable of that name is declared around it. */
  isLocal: boolean;
}

const ACCESS =
  /^(?:member_expression|optional_chain|attribute|field_expression|selector_expression|field_access|method_invocation|member_access_expression|scoped_identifier|scoped_type_identifier|qualified_identifier|qualified_name|navigation_expression|navigation_suffix|member_call_expression|member_access|scoped_call_expression|class_constant_access_expression|nested_type_identifier|scope_resolution|call)$/;
const KEY =
  /^(?:pair|property_signature|keyword_argument|field_initializer|keyed_element|pair_pattern|field_pattern)$/;
const MEMBER_TYPE = /^(?:property_identifier|private_property_identifier|field_identifier)$/;
const CLASS =
  /^(?:class_definition|class_declaration|abstract_class_declaration|class|impl_item|struct_item)$/;
const SCOPE = /function|method|block|lambda|closure|arrow|body|statement|func_literal|constructor/;
/** A block of Python is no scope. */
const PYTHON_SCOPE = /^(?:function_definition|lambda)$|comprehension|generator/;

export const isScope = ({ type }: Node, grammar: string) =>
  (grammar === "python" ? PYTHON_SCOPE : SCOPE).test(type);

/**
 * The contexts of the places of a name, in the same order.
 *
 * @param grammar the name of the language's grammar @param declares whether a node declares a local name
 */
export function contextsOf(
  tree: Tree,
  text: string,
  grammar: string,
  places: readonly number[],
  declares: (node: Node) => boolean,
): UseContext[] {
  const typeOf = receiverTypes(text, grammar);
  const locals = places.filter((index) => {
    const node = tree.rootNode.descendantForIndex(index);
    return node !== null && declares(node);
  });
  return places.map((index) => {
    const node = tree.rootNode.descendantForIndex(index);
    if (!node) return NOWHERE;
    const form = formOf(node);
    const receiver = form === "member" ? receiverOf(text, index) : undefined;
    const declared =
      form === "shorthand" ? patternSource(node) : receiver ? typeOf(receiver, index) : undefined;
    return {
      form,
      receiver,
      receiverType: declared?.type,
      receiverCall: declared?.call,
      callee: form === "key" || form === "shorthand" ? calleeOf(node) : undefined,
      holder: holderOf(node),
      isLocal: (form === "plain" || form === "shorthand") && isDeclaredAround(node, locals, grammar),
    };
  });
}

/** Of a name that its surroundings say nothing about. */
export const NOWHERE: UseContext = {
  form: "plain",
  receiver: undefined,
  receiverType: undefined,
  receiverCall: undefined,
  callee: undefined,
  holder: undefined,
  isLocal: false,
};

/** The name of the innermost class around a node. */
function holderOf(node: Node): string | undefined {
  for (let up = node.parent; up; up = up.parent)
    if (CLASS.test(up.type))
      return (up.childForFieldName("name") ?? up.childForFieldName("type"))?.text.replace(/<.*$/s, "");
  return undefined;
}

function formOf(node: Node): UseContext["form"] {
  if (/^shorthand_property_identifier/.test(node.type)) return "shorthand";
  const parent = node.parent;
  if (!parent) return "plain";
  if (KEY.test(parent.type) && parent.firstNamedChild?.id === node.id) return "key";
  // In Go the key of a composite literal is an element itself.
  if (
    parent.type === "literal_element" &&
    parent.parent?.firstNamedChild?.id === parent.id &&
    parent.parent.type === "keyed_element"
  )
    return "key";
  if (MEMBER_TYPE.test(node.type)) return "member";
  return ACCESS.test(parent.type) &&
    parent.firstNamedChild?.id !== node.id &&
    /[.:>\\]\s*[#@$~]?$/.test(before(node))
    ? "member"
    : "plain";
}

const before = (node: Node) => {
  const whole = node.parent;
  return whole ? whole.text.slice(0, node.startIndex - whole.startIndex) : "";
};

/** The name before the dot; that of the function for a call: `open().close` has `open`. */
function receiverOf(text: string, index: number): string {
  const left = text.slice(Math.max(0, index - 200), index).replace(/[#@$~]$/, "");
  const access = /(?:\?\.|!\.|\.|::|->|\\)\s*$/.exec(left);
  if (!access) return "";
  const rest = left.slice(0, access.index).trimEnd().replace(/!$/, "");
  const call = /[)\]]$/.test(rest) ? rest.replace(/[([][^()[\]]*[)\]]$/, "") : rest;
  return /[\p{L}_$][\p{L}\p{N}_$]*$/u.exec(call)?.[0] ?? "";
}

/** The type in `{ name }: Type`, or what is called in `const { name } = await call()`. */
function patternSource(node: Node): DeclaredType | undefined {
  let up = node.parent;
  for (; up && /pattern|^pair/.test(up.type); up = up.parent) {
    const type = up.type === "object_pattern" ? up.parent?.childForFieldName("type") : undefined;
    if (!type) continue;
    const named = /^:\s*(?:(?:Readonly|Partial|Required|Pick|Omit)<\s*)?(\p{Lu}[\p{L}\p{N}_$]*)/u.exec(
      type.text,
    )?.[1];
    return { type: named, call: undefined };
  }
  let value = up?.type === "variable_declarator" ? up.childForFieldName("value") : null;
  while (value && /^(?:await|parenthesized|non_null)_expression$/.test(value.type))
    value = value.firstNamedChild;
  return value?.type === "call_expression" ? { type: undefined, call: calledBy(value) } : undefined;
}

/** `call({ name: value })`, `call(name=value)` of Python. */
function calleeOf(node: Node): string | undefined {
  let up = node.parent;
  if (up && KEY.test(up.type)) up = up.parent;
  if (up?.type === "object") up = up.parent;
  return up && /^argument/.test(up.type) && up.parent ? calledBy(up.parent) : undefined;
}

/** The last name of what a call calls. */
function calledBy(call: Node): string | undefined {
  const called = call.childForFieldName("function") ?? call.childForFieldName("constructor");
  const name = called?.childForFieldName("property") ?? called?.childForFieldName("attribute") ?? called;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.exec(name?.text ?? "")?.[0];
}

function isDeclaredAround(node: Node, declared: readonly number[], grammar: string): boolean {
  if (declared.length === 0) return false;
  for (let scope = node.parent; scope?.parent; scope = scope.parent) {
    if (!isScope(scope, grammar)) continue;
    const { startIndex, endIndex } = scope;
    if (declared.some((at) => at >= startIndex && at < endIndex && at <= node.startIndex)) return true;
  }
  return false;
}
