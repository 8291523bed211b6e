/** The functions of an object, as a module of functions is written. */
const METHODS =
  "(object (pair key: (property_identifier) @name value: [(arrow_function) (function_expression)]) @method)";
/** `export const { useUsers } = api`. What require() gives is an import. */
const DESTRUCTURED = `(variable_declarator
  name: [
    (object_pattern [(shorthand_property_identifier_pattern) @name (pair_pattern value: (identifier) @name)])
    (array_pattern (identifier) @name)]
  value: (_) @_value (#not-match? @_value "^(await )?(require|import)\\\\b")) @constant`;

const ECMASCRIPT = `
(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function
(variable_declarator name: (identifier) @name value: (class)) @class
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant)))
(program (variable_declaration (variable_declarator name: (identifier) @name) @variable))
(program [(lexical_declaration ${DESTRUCTURED}) (export_statement (lexical_declaration ${DESTRUCTURED}))])
(program (labeled_statement label: (statement_identifier) @_reactive
  body: (expression_statement (assignment_expression left: (identifier) @name)) (#eq? @_reactive "$")) @variable)
(assignment_expression right: (function_expression name: (identifier) @name) @function)
(arguments (function_expression name: (identifier) @name) @function)
(class name: (_) @name) @class
(assignment_expression
  left: (member_expression object: (_) @parent property: (_) @_prototype)
  right: (object [
    (method_definition name: (_) @name) @method
    (pair key: (property_identifier) @name value: [(arrow_function) (function_expression)]) @method])
  (#eq? @_prototype "prototype"))
(method_definition name: (_) @name) @method
(variable_declarator value: ${METHODS})
(export_statement value: ${METHODS})
(pair value: ${METHODS})
(assignment_expression left: (member_expression property: (property_identifier) @_exports) right: ${METHODS} (#eq? @_exports "exports"))
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @name)
  right: [(arrow_function) (function_expression)]) @function
  (#any-of? @_exports "exports" "module.exports"))
(assignment_expression
  left: (member_expression object: (member_expression object: (_) @parent property: (_) @_prototype) property: (property_identifier) @name)
  right: [(arrow_function) (function_expression)]
  (#eq? @_prototype "prototype")) @method
((program (expression_statement (assignment_expression
  left: (member_expression object: (identifier) @parent property: (property_identifier) @name)
  right: [(arrow_function) (function_expression)]) @method)) (#not-eq? @parent "module"))`;

export const WEB = {
  javascript: `${ECMASCRIPT}
(class_declaration name: (identifier) @name) @class
(field_definition property: (_) @name) @field`,

  typescript: `${ECMASCRIPT}
(class_declaration name: (type_identifier) @name) @class
(abstract_class_declaration name: (type_identifier) @name) @class
(interface_declaration name: (type_identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(enum_body (property_identifier) @name @constant)
(enum_assignment name: [(property_identifier) (string)] @name) @constant
(type_alias_declaration name: (type_identifier) @name) @type
(internal_module name: (_) @name) @module
(module name: (_) @name) @module
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(internal_module body: (statement_block (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant))))
(function_signature name: (identifier) @name) @function
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
(public_field_definition name: (_) @name) @field
(required_parameter (accessibility_modifier) pattern: (identifier) @name) @field
(interface_body (property_signature name: (_) @name) @field)
(type_alias_declaration value: (object_type (property_signature name: (_) @name) @field))`,

  css: `
(rule_set (selectors) @name) @rule
(keyframes_statement (keyframes_name) @name) @rule
(rule_set (selectors) (block (declaration (property_name) @name (#match? @name "^--")) @variable))`,

  scss: `
(rule_set (selectors) @name) @rule
(placeholder (name) @name) @rule
(mixin_statement (name) @name) @function
(function_statement (name) @name) @function
(stylesheet (declaration (variable_name) @name) @variable)`,
};
