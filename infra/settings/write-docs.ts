import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { projectRoot } from "../paths.ts";
import { settingsPage } from "./docs.ts";
import { projectConfig } from "./pulumi-yaml.ts";

/** `npm run docs`: write what follows from the schemas of the settings. */
const project = join(projectRoot, "Pulumi.yaml");
const document = parseDocument(await readFile(project, "utf8"));
document.set("config", projectConfig());
await writeFile(project, document.toString({ lineWidth: 0 }));
await writeFile(join(projectRoot, "docs/settings.md"), settingsPage());
