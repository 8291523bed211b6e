export const SCRIPTING = {
  python: `
(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function
(type_alias_statement left: (type (identifier) @name)) @type
(type_alias_statement left: (type (generic_type (identifier) @name))) @type
(module (expression_statement (assignment left: (identifier) @name) @variable))
(module (expression_statement (assignment left: (pattern_list (identifier) @name)) @variable))
(module (if_statement (block (expression_statement (assignment left: (identifier) @name) @variable))))
(module (try_statement (block (expression_statement (assignment left: (identifier) @name) @variable))))
(module (try_statement (_ (block (expression_statement (assignment left: (identifier) @name) @variable)))))
(module (expression_statement (assignment left: (tuple_pattern (identifier) @name)) @variable))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @field)))
(class_definition body: (block (expression_statement (assignment left: (pattern_list (identifier) @name)) @field)))
((class_definition body: (block (function_definition name: (identifier) @_init body: (block (expression_statement
  (assignment left: (attribute object: (identifier) @_self attribute: (identifier) @name)) @field)))))
  (#eq? @_init "__init__") (#eq? @_self "self"))`,

  ruby: `
(class name: (_) @name) @class
(module name: (_) @name) @module
(singleton_class value: (self)) @impl
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(alias name: (_) @name) @function
(assignment left: (constant) @name) @constant
((call method: (identifier) @_attribute arguments: (argument_list (simple_symbol) @name @field))
  (#any-of? @_attribute "attr_accessor" "attr_reader" "attr_writer"))
((call method: (identifier) @_define arguments: (argument_list . (simple_symbol) @name)) @function
  (#any-of? @_define "define_method" "alias_method" "scope"))
((call method: (identifier) @_define arguments: (argument_list . (string . (string_content) @name .))) @function
  (#eq? @_define "define_method"))
((call method: (identifier) @_association arguments: (argument_list . (simple_symbol) @name)) @field
  (#any-of? @_association "has_many" "has_one" "belongs_to" "has_and_belongs_to_many" "has_one_attached" "has_many_attached"))
((call method: (identifier) @_task arguments: (argument_list . [(simple_symbol) @name (pair key: (hash_key_symbol) @name)])) @rule
  (#eq? @_task "task"))`,

  php: `
(namespace_definition name: (_) @name) @module
(namespace_definition name: (_) @package)
(class_declaration name: (name) @name) @class
(interface_declaration name: (name) @name) @interface
(trait_declaration name: (name) @name) @trait
(enum_declaration name: (name) @name) @enum
(enum_case name: (name) @name) @constant
(function_definition name: (name) @name) @function
(method_declaration name: (name) @name) @method
(const_element (name) @name) @constant
(property_promotion_parameter name: (variable_name (name) @name)) @field
(property_element (variable_name (name) @name)) @field
((function_call_expression function: (name) @_define
  arguments: (arguments . (argument (string (string_content) @name)))) @constant
  (#eq? @_define "define"))`,

  perl: `
(package_statement (package_name) @package)
(package_statement (package_name) @name) @module
(function_definition name: (identifier) @name) @function
(use_constant_statement constant: (identifier) @name) @constant
((variable_declaration (scope) @_our variable_name: (_) @name) @variable (#eq? @_our "our"))`,

  lua: `
(function_declaration name: (identifier) @name) @function
(function_declaration name: (dot_index_expression table: (_) @parent field: (identifier) @name)) @method
(function_declaration name: (method_index_expression table: (_) @parent method: (identifier) @name)) @method
(assignment_statement (variable_list name: (dot_index_expression table: (_) @parent field: (identifier) @name))
  (expression_list value: (function_definition))) @method
(assignment_statement (variable_list name: (identifier) @name) (expression_list value: (function_definition))) @function
(field name: (identifier) @name value: (function_definition)) @function
((chunk (assignment_statement (variable_list name: (dot_index_expression table: (identifier) @parent field: (identifier) @name))) @field)
  (#not-match? @name "^__"))
(chunk (assignment_statement (variable_list name: (identifier) @name)) @variable)
(chunk (variable_declaration (assignment_statement (variable_list name: (identifier) @name)) @variable))`,

  r: `
(binary_operator lhs: [(identifier) @name (string content: (string_content) @name)] operator: ["<-" "<<-" "="] rhs: (function_definition)) @function
(binary_operator lhs: (identifier) @name operator: ["<-" "="]
  rhs: (call function: (identifier) @_class)
  (#any-of? @_class "R6Class" "setRefClass" "new_class")) @class
((call function: (identifier) @_class arguments: (arguments . (argument value: (string content: (string_content) @name)))) @class
  (#any-of? @_class "setClass" "setRefClass"))
((call function: (identifier) @_generic arguments: (arguments . (argument value: (string content: (string_content) @name)))) @function
  (#any-of? @_generic "setGeneric" "setMethod"))
((call function: (identifier) @_list arguments: (arguments (argument name: (identifier) @name value: (function_definition)) @function))
  (#eq? @_list "list"))
(program (binary_operator lhs: (identifier) @name operator: ["<-" "<<-" "="]) @variable)`,

  bash: `
(function_definition name: (word) @name) @function
(program (variable_assignment name: (variable_name) @name) @variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @variable)
((command name: (command_name) @_alias argument: (concatenation . (word) @name)) @function (#eq? @_alias "alias"))`,

  powershell: `
(function_statement (function_name) @name) @function
(class_statement . (simple_name) @name) @class
(class_method_definition (simple_name) @name) @method
(class_property_definition (variable) @name) @field
(enum_statement (simple_name) @name) @enum
(enum_member (simple_name) @name) @constant`,

  gdscript: `
(class_name_statement (name) @name) @class
(class_definition name: (name) @name) @class
(function_definition name: (name) @name) @function
(constructor_definition "_init" @name) @function
(signal_statement (name) @name) @function
(enum_definition name: (name) @name) @enum
(enumerator left: (identifier) @name) @constant
(const_statement name: (name) @name) @constant
(source (variable_statement name: (name) @name) @variable)
(class_definition (body (variable_statement name: (name) @name) @field))`,
};
