const ECMASCRIPT = `
(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function
(variable_declarator name: (identifier) @name value: (class)) @class
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant)))
(program (variable_declaration (variable_declarator name: (identifier) @name) @variable))
(method_definition name: (_) @name) @method
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @name)
  right: [(arrow_function) (function_expression)]) @function
  (#any-of? @_exports "exports" "module.exports"))
(assignment_expression
  left: (member_expression object: (member_expression object: (_) @parent property: (_) @_prototype) property: (property_identifier) @name)
  right: [(arrow_function) (function_expression)]
  (#eq? @_prototype "prototype")) @method
(program (expression_statement (assignment_expression
  left: (member_expression object: (identifier) @parent property: (property_identifier) @name)
  right: [(arrow_function) (function_expression)]) @method))`;

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
(interface_body (property_signature name: (_) @name) @field)`,

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
