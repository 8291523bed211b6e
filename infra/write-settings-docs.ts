import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { projectRoot } from "./paths.ts";
import { projectConfig, settingsPage } from "./settings-docs.ts";

/** `npm run docs`: write what is made from the table of settings. */
const project = join(projectRoot, "Pulumi.yaml");
const document = parseDocument(await readFile(project, "utf8"));
document.set("config", projectConfig());
await writeFile(project, document.toString({ lineWidth: 0 }));
await writeFile(join(projectRoot, "docs/settings.md"), settingsPage());
