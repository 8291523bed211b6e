import { listFiles } from "./list-files.ts";
import { readFile } from "./read-file.ts";
import { searchText } from "./search-text.ts";
import type { Tool } from "./tool.ts";

/** Every tool, in the order of tools/list. */
export const TOOLS: readonly Tool[] = [listFiles, readFile, searchText];
