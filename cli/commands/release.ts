import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import type { Arch } from "../../infra/native-parts.ts";
import { buildRelease } from "../../infra/release.ts";
import { parseSettings, rawSettings } from "../../infra/settings.ts";
import { stackConfig } from "../stack/workspace.ts";
import { jsonOption, stackOption } from "./options.ts";

interface Options {
  stack: string;
  arch?: Arch;
  out?: string;
  json: boolean;
}

/** `release`: the archive that `up` would deploy, built and shown; nothing else happens. */
export const releaseCommand = () =>
  new Command("release")
    .description("Build the release that `up` would deploy, and print its hash. Nothing is deployed.")
    .addOption(stackOption())
    .addOption(
      new Option("--arch <arch>", "processor of the machine (default: the stack's)").choices([
        "arm64",
        "x64",
      ]),
    )
    .option("--out <folder>", "copy the archive and its SBOM there, named by the hash")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Examples:
  mcp-edge release
  mcp-edge release --arch arm64 --out releases`,
    )
    .action(async ({ stack, arch, out, json }: Options) => {
      const architecture = arch ?? (await architectureOf(stack));
      const release = await buildRelease(undefined, architecture);
      if (out) {
        await mkdir(out, { recursive: true });
        for (const file of [release.archive, release.sbom]) await copyFile(file, join(out, basename(file)));
      }
      console.log(json ? JSON.stringify({ ...release, architecture }) : release.hash);
    });

/** A machine on this host has this host's processor. */
async function architectureOf(stack: string): Promise<Arch> {
  const config = await stackConfig(stack);
  const raw = rawSettings(config);
  if (raw.target !== "aws") return process.arch as Arch;
  const settings = parseSettings(raw, stack);
  return settings.target === "aws" && settings.architecture === "amd64" ? "x64" : "arm64";
}
