/** What the page of Swagger UI loads; a release carries these beside the server, in `swagger-ui/`. */
export const SWAGGER_UI_FILES = [
  "favicon-16x16.png",
  "favicon-32x32.png",
  "index.css",
  "swagger-ui-bundle.js",
  "swagger-ui-standalone-preset.js",
  "swagger-ui.css",
] as const;
