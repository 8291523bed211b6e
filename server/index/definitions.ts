/**
 * The definitions of each language, as queries of tree-sitter. The outer capture is the definition, and the capture is named after its kind
 * (languages.ts, or `impl` for a container that is not a symbol). `@name` is the name, `@parent` a container that does not enclose it,
 * `@package` the package of the whole file.
 * Local variables are left out: they would be most of the index, and users do not search for them by name.
 */

const ECMASCRIPT = `
(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant)))
(program (variable_declaration (variable_declarator name: (identifier) @name) @variable))
(method_definition name: (_) @name) @method
`;

export const QUERIES: Record<string, string> = {
  javascript: `${ECMASCRIPT}
(class_declaration name: (identifier) @name) @class
(field_definition property: (_) @name) @field`,

  typescript: `${ECMASCRIPT}
(class_declaration name: (type_identifier) @name) @class
(abstract_class_declaration name: (type_identifier) @name) @class
(interface_declaration name: (type_identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(type_alias_declaration name: (type_identifier) @name) @type
(internal_module name: (_) @name) @module
(module name: (_) @name) @module
(function_signature name: (identifier) @name) @function
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
(public_field_definition name: (_) @name) @field
(interface_body (property_signature name: (_) @name) @field)`,

  python: `
(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function
(module (expression_statement (assignment left: (identifier) @name) @variable))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @field)))`,

  go: `
(package_clause (package_identifier) @package)
(function_declaration name: (identifier) @name) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @parent
    (pointer_type (type_identifier) @parent)
    (generic_type type: (type_identifier) @parent)
    (pointer_type (generic_type type: (type_identifier) @parent))]))
  name: (field_identifier) @name) @method
(type_spec name: (type_identifier) @name type: (struct_type)) @struct
(type_spec name: (type_identifier) @name type: (interface_type)) @interface
(type_spec name: (type_identifier) @name) @type
(type_alias name: (type_identifier) @name) @type
(method_elem name: (field_identifier) @name) @method
(field_declaration name: (field_identifier) @name) @field
(source_file (const_declaration (const_spec name: (identifier) @name) @constant))
(source_file (var_declaration (var_spec name: (identifier) @name) @variable))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @variable)))`,

  rust: `
(function_item name: (identifier) @name) @function
(function_signature_item name: (identifier) @name) @function
(struct_item name: (type_identifier) @name) @struct
(union_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(trait_item name: (type_identifier) @name) @trait
(type_item name: (type_identifier) @name) @type
(mod_item name: (identifier) @name) @module
(const_item name: (identifier) @name) @constant
(static_item name: (identifier) @name) @variable
(macro_definition name: (identifier) @name) @macro
(field_declaration name: (field_identifier) @name) @field
(enum_variant name: (identifier) @name) @constant
(impl_item type: (type_identifier) @name) @impl
(impl_item type: (generic_type type: (type_identifier) @name)) @impl`,

  java: `
(package_declaration (_) @package .)
(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(interface_declaration name: (identifier) @name) @interface
(annotation_type_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(enum_constant name: (identifier) @name) @constant
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @method
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @field`,

  csharp: `
(file_scoped_namespace_declaration name: (_) @package)
(file_scoped_namespace_declaration name: (_) @name) @module
(namespace_declaration name: (_) @name) @module
(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(struct_declaration name: (identifier) @name) @struct
(interface_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(enum_member_declaration name: (identifier) @name) @constant
(delegate_declaration name: (identifier) @name) @type
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @method
(property_declaration name: (identifier) @name) @field
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @field`,

  cpp: `
(namespace_definition name: (_) @name) @module
(class_specifier name: (type_identifier) @name body: (_)) @class
(struct_specifier name: (type_identifier) @name body: (_)) @struct
(union_specifier name: (type_identifier) @name body: (_)) @struct
(enum_specifier name: (type_identifier) @name body: (_)) @enum
(enumerator name: (identifier) @name) @constant
(type_definition declarator: (type_identifier) @name) @type
(alias_declaration name: (type_identifier) @name) @type
(function_declarator declarator: (identifier) @name) @function
(function_declarator declarator: (field_identifier) @name) @method
(function_declarator declarator: (destructor_name) @name) @method
(function_declarator declarator: (operator_name) @name) @function
(function_declarator declarator: (qualified_identifier) @name) @method
(field_declaration declarator: (field_identifier) @name) @field
(preproc_def name: (identifier) @name) @macro
(preproc_function_def name: (identifier) @name) @macro`,

  ruby: `
(class name: (_) @name) @class
(module name: (_) @name) @module
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(assignment left: (constant) @name) @constant`,

  php: `
(namespace_definition name: (_) @name) @module
(namespace_definition name: (_) @package)
(class_declaration name: (name) @name) @class
(interface_declaration name: (name) @name) @interface
(trait_declaration name: (name) @name) @trait
(enum_declaration name: (name) @name) @enum
(function_definition name: (name) @name) @function
(method_declaration name: (name) @name) @method
(const_element (name) @name) @constant
(property_element (variable_name (name) @name)) @field`,

  bash: `
(function_definition name: (word) @name) @function
(program (variable_assignment name: (variable_name) @name) @variable)`,

  powershell: `
(function_statement (function_name) @name) @function
(class_statement (simple_name) @name) @class
(class_method_definition (simple_name) @name) @method`,

  kotlin: `
(package_header (_) @package)
(class_declaration name: (identifier) @name) @class
(object_declaration name: (identifier) @name) @class
(enum_entry (identifier) @name) @constant
(function_declaration name: (identifier) @name) @function
(source_file (property_declaration (variable_declaration (identifier) @name)) @variable)
(class_body (property_declaration (variable_declaration (identifier) @name)) @field)
(type_alias type: (identifier) @name) @type`,

  swift: `
(class_declaration name: (type_identifier) @name) @class
(class_declaration name: (user_type (type_identifier) @name)) @impl
(protocol_declaration name: (type_identifier) @name) @interface
(protocol_function_declaration name: (simple_identifier) @name) @method
(function_declaration name: (simple_identifier) @name) @function
(enum_entry name: (simple_identifier) @name) @constant
(source_file (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @variable)
(class_body (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @field)
(typealias_declaration name: (type_identifier) @name) @type`,

  scala: `
(package_clause name: (_) @package)
(class_definition name: (identifier) @name) @class
(object_definition name: (identifier) @name) @class
(trait_definition name: (identifier) @name) @trait
(enum_definition name: (identifier) @name) @enum
(function_definition name: (identifier) @name) @function
(function_declaration name: (identifier) @name) @function
(template_body (val_definition pattern: (identifier) @name) @field)
(template_body (var_definition pattern: (identifier) @name) @field)
(type_definition name: (type_identifier) @name) @type`,

  dart: `
(class_definition name: (identifier) @name) @class
(mixin_declaration (identifier) @name) @class
(enum_declaration name: (identifier) @name) @enum
(enum_constant name: (identifier) @name) @constant
(function_signature name: (identifier) @name) @function
(class_body (declaration (initialized_identifier_list (initialized_identifier (identifier) @name)) @field))`,

  lua: `
(function_declaration name: (identifier) @name) @function
(function_declaration name: (dot_index_expression table: (identifier) @parent field: (identifier) @name)) @method
(function_declaration name: (method_index_expression table: (identifier) @parent method: (identifier) @name)) @method
(chunk (assignment_statement (variable_list name: (identifier) @name)) @variable)`,

  // The last label is the name: resource "aws_vpc" "main".
  hcl: `
(block (identifier) (string_lit (template_literal) @name) . (block_start)) @rule
(block (identifier) @name . (block_start) (body)) @module
(block (identifier) (body (attribute (identifier) @name) @field))`,

  toml: `
(table [(bare_key) (dotted_key) (quoted_key)] @name) @module
(table_array_element [(bare_key) (dotted_key) (quoted_key)] @name) @module
(document (pair (bare_key) @name) @field)
(table (pair (bare_key) @name) @field)`,

  // Two levels of keys: services/web, jobs/build.
  yaml: `
(document (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @module)))
(document (block_node (block_mapping (block_mapping_pair value: (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @field))))))`,

  css: "(rule_set (selectors) @name) @rule",
  ini: "(section (section_name (text) @name)) @module",
};
