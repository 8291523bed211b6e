/** The project's settings: infra/settings/schema-*.ts has each of them, the rest follows from there. */
export { NAMESPACE, SettingsError } from "./settings/errors.ts";
export { assertSecrets, parseSettings, rawSettings } from "./settings/parse.ts";
export type { AwsSettings, CommonSettings, LocalSettings, Settings } from "./settings/schemas.ts";
