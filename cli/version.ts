import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../infra/paths.ts";

/** The project's version, from package.json. */
export const VERSION: string = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")).version;
