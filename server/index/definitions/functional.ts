/** The macros of Elixir that define a function. */
const ELIXIR_DEF = `(#any-of? @_def "def" "defp" "defmacro" "defmacrop" "defguard" "defguardp" "defdelegate" "defn" "defnp")`;
const CLOJURE = (forms: string, kind: string) =>
  `((list_lit . (sym_lit name: (sym_name) @_form) . (sym_lit name: (sym_name) @name)) @${kind} (#any-of? @_form ${forms}))`;

export const FUNCTIONAL = {
  elixir: `
((call target: (identifier) @_def (arguments . (alias) @name)) @module (#eq? @_def "defmodule"))
((call target: (identifier) @_def (arguments . (alias) @name)) @interface (#eq? @_def "defprotocol"))
((call target: (identifier) @_def (arguments . (alias) @name)) @impl (#eq? @_def "defimpl"))
((call target: (identifier) @_def (arguments . [
  (identifier) @name
  (call target: (identifier) @name)
  (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")])) @function
  ${ELIXIR_DEF})
((call target: (identifier) @_def (arguments . (binary_operator operator: _ @name))) @function
  ${ELIXIR_DEF} (#not-eq? @name "when"))
((unary_operator operator: "@" operand: (call target: (identifier) @_type
  (arguments . (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "::")))) @type
  (#any-of? @_type "type" "typep" "opaque"))
((unary_operator operator: "@" operand: (call target: (identifier) @name (arguments))) @constant
  (#not-any-of? @name "doc" "moduledoc" "typedoc" "spec" "type" "typep" "opaque" "impl" "behaviour" "callback" "macrocallback"
    "deprecated" "derive" "enforce_keys" "since" "tag" "moduletag" "before_compile" "after_compile" "on_load" "compile" "dialyzer"))
((unary_operator operator: "@" operand: (call target: (identifier) @_callback
  (arguments . (binary_operator left: (call target: (identifier) @name) operator: "::")))) @method
  (#any-of? @_callback "callback" "macrocallback"))`,

  haskell: `
(header module: (module) @package)
(data_type name: (_) @name) @type
(newtype name: (_) @name) @type
(type_synomym name: (_) @name) @type
(type_family name: (_) @name) @type
(class name: (_) @name) @trait
(instance name: (_) @name) @impl
(data_constructor constructor: (_ name: (_) @name)) @constant
(newtype_constructor name: (_) @name) @constant
(field name: (field_name (variable) @name)) @field
(declarations (signature name: [(variable) @name (prefix_id (operator) @name)]) @function)
(class_declarations (signature name: [(variable) @name (prefix_id (operator) @name)]) @function)
(_ (function name: [(variable) @name (prefix_id (operator) @name)]) @function)
(_ (function (infix operator: [(operator) @name (infix_id (variable) @name)])) @function)
(declarations (bind name: (variable) @name) @function)
(instance_declarations (bind name: (variable) @name) @function)`,

  clojure: `
((list_lit . (sym_lit name: (sym_name) @_form) . (sym_lit name: (sym_name) @package)) (#eq? @_form "ns"))
${CLOJURE('"ns"', "module")}
${CLOJURE('"defn" "defn-" "defmulti" "defmethod" "deftest" "definline" "s/fdef" "defcard"', "function")}
${CLOJURE('"defmacro"', "macro")}
${CLOJURE('"defprotocol" "definterface"', "interface")}
${CLOJURE('"defrecord" "deftype" "defstruct"', "struct")}
${CLOJURE('"def" "defonce"', "variable")}
((list_lit . (sym_lit name: (sym_name) @_form) (list_lit . (sym_lit name: (sym_name) @name)) @function)
  (#any-of? @_form "defprotocol" "definterface" "defrecord" "deftype"))`,

  elm: `
(module_declaration name: (upper_case_qid) @package)
(type_alias_declaration name: (upper_case_identifier) @name) @type
(type_declaration name: (upper_case_identifier) @name) @type
(union_variant name: (upper_case_identifier) @name) @constant
(field_type name: (lower_case_identifier) @name) @field
(file (type_annotation name: (lower_case_identifier) @name) @function)
(file (port_annotation name: (lower_case_identifier) @name) @function)
(file (value_declaration (function_declaration_left . (lower_case_identifier) @name)) @function)`,

  gleam: `
(type_definition (type_name name: (type_identifier) @name)) @type
(type_alias (type_name name: (type_identifier) @name)) @type
(data_constructor name: (constructor_name) @name) @constant
(data_constructor_argument label: (label) @name) @field
(constant name: (identifier) @name) @constant
(function name: (identifier) @name) @function
(external_function name: (identifier) @name) @function`,

  nix: `
(binding attrpath: (attrpath) @name expression: (function_expression)) @function
(binding attrpath: (attrpath) @name) @field`,
};
