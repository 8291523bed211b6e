import type { Node } from "web-tree-sitter";

/** The name of a definition. */
export interface Label {
  text: string;
  /** Index of its first character. */
  index: number;
  /** The qualifiers before it, joined by "/"; undefined for none. */
  holders: string | undefined;
}

/** Nodes of qualified names: `Users::Admin` of Ruby and Perl, `MyApp.Accounts` of Elixir. */
const QUALIFIED = new Set(["alias", "scope_resolution", "package_name"]);
/** Definitions whose name node is the operator without its keyword. */
const OPERATOR = /^(?:operator_declaration|conversion_operator_declaration|operator_signature)$/;

/** @param name the node of the name @param node the whole definition */
export function labelOf(name: Node, node: Node, text: string): Label {
  const written = text.slice(name.startIndex, name.endIndex);
  const index = name.startIndex;
  if (name.type === "qualified_identifier") return labelOfLast(name, text);
  if (QUALIFIED.has(name.type)) {
    const last = /(?:.*(?:::|\.))?/s.exec(written)?.[0] ?? "";
    return { text: written.slice(last.length), index: index + last.length, holders: holdersOf(last) };
  }
  // `function global:Get-Thing` of PowerShell.
  const scope = name.type === "function_name" && /^(?:global|script|local|private):/i.exec(written)?.[0];
  if (scope) return label(written.slice(scope.length), index + scope.length);
  if (name.type === "simple_symbol") return { text: written.slice(1), index: index + 1, holders: undefined };
  if (name.type === "operator_cast") return label(/^[^(]*/.exec(written)?.[0] ?? written, index);
  if (node.type === "destructor_declaration") return label(`~${written}`, index - 1);
  if (OPERATOR.test(node.type)) {
    const keyword = text.lastIndexOf("operator", index);
    if (keyword >= node.startIndex) return label(text.slice(keyword, name.endIndex), keyword);
  }
  return label(node.type === "command" ? written.replace(/=$/, "") : written, index);
}

const label = (text: string, index: number): Label => ({ text, index, holders: undefined });

/** C++ `a::B::run`: the last part is the name. */
function labelOfLast(name: Node, text: string): Label {
  let last = name;
  while (last.type === "qualified_identifier") {
    const inner = last.childForFieldName("name");
    if (!inner) break;
    last = inner;
  }
  const holders = holdersOf(text.slice(name.startIndex, last.startIndex));
  return { text: text.slice(last.startIndex, last.endIndex), index: last.startIndex, holders };
}

/** Qualifiers without type arguments: `outer::Stack<T, N>::` is outer/Stack. */
function holdersOf(qualifier: string): string | undefined {
  let plain = qualifier;
  for (let before = ""; before !== plain; ) {
    before = plain;
    plain = plain.replace(/<[^<>]*>/g, "");
  }
  const parts = plain.split(/::|\./).map((part) => part.trim());
  return parts.filter((part) => part !== "").join("/") || undefined;
}
