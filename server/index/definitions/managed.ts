export const MANAGED = {
  java: `
(package_declaration (_) @package .)
(module_declaration name: (_) @name) @module
(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(record_declaration parameters: (formal_parameters (formal_parameter name: (identifier) @name) @field))
(interface_declaration name: (identifier) @name) @interface
(annotation_type_declaration name: (identifier) @name) @interface
(annotation_type_element_declaration name: (identifier) @name) @method
(enum_declaration name: (identifier) @name) @enum
(enum_constant name: (identifier) @name) @constant
(constant_declaration declarator: (variable_declarator name: (identifier) @name)) @constant
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @method
(compact_constructor_declaration name: (identifier) @name) @method
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @field`,

  csharp: `
(file_scoped_namespace_declaration name: (_) @package)
(file_scoped_namespace_declaration name: (_) @name) @module
(namespace_declaration name: (_) @name) @module
(class_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(record_declaration (parameter_list (parameter name: (identifier) @name) @field))
(struct_declaration name: (identifier) @name) @struct
(interface_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(enum_member_declaration name: (identifier) @name) @constant
(delegate_declaration name: (identifier) @name) @type
(method_declaration name: (identifier) @name) @method
(constructor_declaration name: (identifier) @name) @method
(destructor_declaration name: (identifier) @name) @method
(operator_declaration operator: _ @name) @method
(conversion_operator_declaration type: (_) @name) @method
(indexer_declaration "this" @name) @method
(local_function_statement name: (identifier) @name) @function
(property_declaration name: (identifier) @name) @field
(event_declaration name: (identifier) @name) @field
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @field
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @field`,

  kotlin: `
(package_header (_) @package)
(class_declaration "interface" name: (identifier) @name) @interface
(class_declaration name: (identifier) @name) @class
(object_declaration name: (identifier) @name) @class
(companion_object name: (identifier) @name) @class
(enum_entry (identifier) @name) @constant
(function_declaration (user_type (identifier) @parent) . name: (identifier) @name) @method
(function_declaration name: (identifier) @name) @function
(secondary_constructor "constructor" @name) @method
(source_file (property_declaration (variable_declaration (identifier) @name)) @variable)
(class_body (property_declaration (variable_declaration (identifier) @name)) @field)
(class_parameter ["val" "var"] (identifier) @name) @field
(type_alias type: (identifier) @name) @type`,

  scala: `
(package_clause name: (_) @package)
(class_definition name: (_) @name) @class
(object_definition name: (_) @name) @class
(package_object name: (_) @name) @module
(trait_definition name: (_) @name) @trait
(enum_definition name: (_) @name) @enum
(simple_enum_case name: (_) @name) @constant
(full_enum_case name: (_) @name) @constant
(function_definition name: (_) @name) @function
(function_declaration name: (_) @name) @function
(given_definition name: (_) @name) @variable
(class_parameter name: (identifier) @name) @field
(template_body (val_definition pattern: (identifier) @name) @field)
(template_body (val_declaration name: (identifier) @name) @field)
(template_body (var_definition pattern: (identifier) @name) @field)
(compilation_unit (val_definition pattern: (identifier) @name) @variable)
(type_definition name: (type_identifier) @name) @type`,

  dart: `
(class_definition name: (identifier) @name) @class
(mixin_declaration (identifier) @name) @class
(extension_declaration name: (identifier) @name) @class
(enum_declaration name: (identifier) @name) @enum
(enum_constant name: (identifier) @name) @constant
(type_alias . (type_identifier) @name . ["=" (type_parameters)]) @type
(type_alias (type_identifier) @name . (formal_parameter_list)) @type
(function_signature name: (identifier) @name) @function
(getter_signature name: (identifier) @name) @function
(setter_signature name: (identifier) @name) @function
(operator_signature (binary_operator) @name) @function
(operator_signature ["[]" "[]="] @name) @function
(redirecting_factory_constructor_signature (identifier) @name . (formal_parameter_list)) @method
(enum_body (declaration (initialized_identifier_list (initialized_identifier (identifier) @name)) @field))
(constructor_signature name: (identifier) @name . (formal_parameter_list)) @method
(factory_constructor_signature (identifier) @name . (formal_parameter_list)) @method
(constant_constructor_signature (identifier) @name . (formal_parameter_list)) @method
(class_body (declaration (initialized_identifier_list (initialized_identifier (identifier) @name)) @field))
(class_body (declaration (static_final_declaration_list (static_final_declaration (identifier) @name)) @field))
(program (initialized_identifier_list (initialized_identifier (identifier) @name) @variable))
(program (static_final_declaration_list (static_final_declaration (identifier) @name) @constant))`,
};
