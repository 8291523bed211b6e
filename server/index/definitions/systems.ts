const C_PREPROCESSOR = `
(preproc_def name: (identifier) @name) @macro
(preproc_function_def name: (identifier) @name) @macro`;

const C_VARIABLE = (place: string) => {
  const declarators = [
    "(identifier) @name",
    "(pointer_declarator declarator: (identifier) @name)",
    "(array_declarator declarator: (identifier) @name)",
    "(pointer_declarator declarator: (array_declarator declarator: (identifier) @name))",
    "(function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (identifier) @name)))",
  ].join(" ");
  return `(${place} (declaration declarator: [${declarators} (init_declarator declarator: [${declarators}])]) @variable)`;
};

export const SYSTEMS = {
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
((source_file (const_declaration (const_spec name: (identifier) @name) @constant)) (#not-eq? @name "_"))
((source_file (var_declaration (var_spec name: (identifier) @name) @variable)) (#not-eq? @name "_"))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @variable)))`,

  rust: `
(function_item name: (identifier) @name) @function
(function_signature_item name: (identifier) @name) @function
(struct_item name: (type_identifier) @name) @struct
(union_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(trait_item name: (type_identifier) @name) @trait
(type_item name: (type_identifier) @name) @type
(associated_type name: (type_identifier) @name) @type
(mod_item name: (identifier) @name) @module
(const_item name: (identifier) @name) @constant
(static_item name: (identifier) @name) @variable
(macro_definition name: (identifier) @name) @macro
(field_declaration name: (field_identifier) @name) @field
(enum_variant name: (identifier) @name) @constant
(impl_item type: (type_identifier) @name) @impl
(impl_item type: (generic_type type: (type_identifier) @name)) @impl
(impl_item type: (scoped_type_identifier name: (type_identifier) @name)) @impl
(impl_item type: (generic_type type: (scoped_type_identifier name: (type_identifier) @name))) @impl
(impl_item type: (reference_type type: (type_identifier) @name)) @impl
(impl_item type: (reference_type type: (generic_type type: (type_identifier) @name))) @impl
(impl_item type: (dynamic_type trait: (type_identifier) @name)) @impl
(impl_item trait: (type_identifier) @name type: [(array_type) (tuple_type) (pointer_type) (function_type)]) @impl`,

  cpp: `
(namespace_definition name: (_) @name) @module
(class_specifier name: (type_identifier) @name body: (_)) @class
(class_specifier name: (template_type name: (type_identifier) @name) body: (_)) @class
(struct_specifier name: (type_identifier) @name body: (_)) @struct
(struct_specifier name: (template_type name: (type_identifier) @name) body: (_)) @struct
(union_specifier name: (type_identifier) @name body: (_)) @struct
(enum_specifier name: (type_identifier) @name body: (_)) @enum
(concept_definition name: (identifier) @name) @type
(enumerator name: (identifier) @name) @constant
(type_definition declarator: (type_identifier) @name) @type
(type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @type
(type_definition declarator: (array_declarator declarator: (type_identifier) @name)) @type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @type
(namespace_alias_definition name: (_) @name) @module
(alias_declaration name: (type_identifier) @name) @type
(function_declarator declarator: (identifier) @name) @function
(function_declarator declarator: (field_identifier) @name) @method
(function_declarator declarator: (destructor_name) @name) @method
(function_declarator declarator: (operator_name) @name) @function
(function_declarator declarator: (qualified_identifier) @name) @method
(operator_cast) @name @method
(field_declaration declarator: [
  (field_identifier) @name
  (pointer_declarator declarator: (field_identifier) @name)
  (reference_declarator (field_identifier) @name)
  (array_declarator declarator: (field_identifier) @name)
  (array_declarator declarator: (array_declarator declarator: (field_identifier) @name))
  (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (field_identifier) @name)))
  (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (field_identifier) @name))))
  (pointer_declarator declarator: (pointer_declarator declarator: (field_identifier) @name))]) @field
${C_VARIABLE("translation_unit")}
${C_VARIABLE("declaration_list")}
${C_PREPROCESSOR}`,

  objc: `
(class_interface . (identifier) @name category: (_)) @impl
(class_interface . (identifier) @name) @class
(class_implementation . (identifier) @name) @impl
(protocol_declaration . (identifier) @name) @interface
(translation_unit (declaration declarator: (init_declarator declarator: [
  (identifier) @name
  (pointer_declarator declarator: (identifier) @name)]) @variable))
(method_declaration (method_type) . (identifier) @name) @method
(method_definition (method_type) . (identifier) @name) @method
(property_declaration (struct_declaration (struct_declarator [
  (identifier) @name
  (pointer_declarator declarator: (identifier) @name)]))) @field
(struct_specifier name: (type_identifier) @name body: (_)) @struct
(enum_specifier name: (type_identifier) @name body: (_)) @enum
(enumerator name: (identifier) @name) @constant
(type_definition declarator: (type_identifier) @name) @type
(function_declarator declarator: (identifier) @name) @function
${C_PREPROCESSOR}`,

  zig: `
(function_declaration name: (identifier) @name) @function
(variable_declaration . (identifier) @name [(struct_declaration) (union_declaration) (opaque_declaration)]) @struct
(variable_declaration . (identifier) @name [(enum_declaration) (error_set_declaration)]) @enum
(source_file (variable_declaration . (identifier) @name) @constant)
(struct_declaration (variable_declaration . (identifier) @name) @constant)
(container_field name: (identifier) @name) @field
(test_declaration (string (string_content) @name)) @function`,

  swift: `
(class_declaration "struct" name: (type_identifier) @name) @struct
(class_declaration "enum" name: (type_identifier) @name) @enum
(class_declaration name: (type_identifier) @name) @class
(class_declaration name: (user_type (type_identifier) @name .)) @impl
(protocol_declaration name: (type_identifier) @name) @interface
(protocol_function_declaration "init" @name) @method
(protocol_function_declaration "func" . name: _ @name) @method
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @field
(associatedtype_declaration name: (type_identifier) @name) @type
(function_declaration "func" . name: _ @name) @function
(function_declaration name: "init" @name) @method
(deinit_declaration "deinit" @name) @method
(subscript_declaration "subscript" @name) @method
(enum_entry name: (simple_identifier) @name) @constant
(source_file (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @variable)
(class_body (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @field)
(enum_class_body (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @field)
(typealias_declaration name: (type_identifier) @name) @type`,
};
