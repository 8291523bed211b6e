export const CONFIGURATION = {
  // The last label is the name: resource "aws_vpc" "main" is aws_vpc/main.
  hcl: `
(block (identifier) (string_lit (template_literal) @parent) . (string_lit (template_literal) @name) . (block_start)) @rule
(block (identifier) (string_lit (template_literal) @name) . (block_start)) @rule
(block (identifier) @name . (block_start) (body)) @module
(block (identifier) (body (attribute (identifier) @name) @field))`,

  toml: `
(table [(bare_key) (dotted_key) (quoted_key)] @name) @module
(table_array_element [(bare_key) (dotted_key) (quoted_key)] @name) @module
(document (pair [(bare_key) (dotted_key) (quoted_key)] @name) @field)
(table (pair [(bare_key) (dotted_key) (quoted_key)] @name) @field)
(table_array_element (pair [(bare_key) (dotted_key) (quoted_key)] @name) @field)`,

  // Two levels of keys: services/web, jobs/build.
  yaml: `
(document (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @module)))
(document (block_node (block_mapping (block_mapping_pair value: (block_node (block_mapping (block_mapping_pair key: (flow_node) @name) @field))))))`,

  // Two levels of keys: scripts/build.
  json: `
(document (object (pair key: (string (string_content) @name)) @field))
(document (object (pair value: (object (pair key: (string (string_content) @name)) @field))))`,

  ini: `
(section (section_name (text) @name)) @module
(setting (setting_name) @name) @field`,
  properties: "(property (key) @name) @field",

  make: `
((rule (targets (word) @name)) @rule (#not-match? @name "^[.]"))
(makefile (variable_assignment name: (word) @name) @variable)
(define_directive name: (word) @name) @macro`,

  markdown: `
(section (atx_heading heading_content: (inline) @name)) @section
(setext_heading heading_content: (paragraph (inline) @name)) @section`,

  latex: `
(section text: (curly_group (_) @name)) @section
(subsection text: (curly_group (_) @name)) @section
(part text: (curly_group (_) @name)) @section
(chapter text: (curly_group (_) @name)) @section
(new_command_definition declaration: (curly_group_command_name command: (command_name) @name)) @macro
(label_definition name: (curly_group_text text: (_) @name)) @field`,
};
