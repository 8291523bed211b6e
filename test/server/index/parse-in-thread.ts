// Run by baseline-module.test.ts, with V8's flag that reports what its optimizing compiler compiles: parses much text in a thread.
import { isMainThread, Worker } from "node:worker_threads";
import { withTree } from "../../../server/index/grammars.ts";
import { languageOf } from "../../../server/index/languages.ts";

const FILES = {
  "a.md": "# Title\n\nSome *text*, a [link](https://example.test) and `code`.\n\n- one\n- two\n\n",
  "a.ps1": 'function Get-Thing([string]$Name) {\n  if ($Name -eq "x") { Write-Output "$Name!" }\n}\n',
  "a.ts": "export function twice(n: number): number {\n  return n * 2;\n}\n",
};

if (isMainThread) {
  new Worker(new URL(import.meta.url));
} else {
  for (const [path, text] of Object.entries(FILES)) {
    const language = languageOf(path);
    if (!language) throw new Error(`${path} has no language`);
    let parsed = 0;
    // A text at once would take too long for the time limit on a slow host.
    for (let n = 0; n < 20; n++)
      parsed +=
        (await withTree(text.repeat(100), language, (tree) => tree.rootNode.childCount)) ?? Number.NaN;
    // V8 writes its report to standard output, in parts of lines.
    console.error(path, parsed);
  }
}
