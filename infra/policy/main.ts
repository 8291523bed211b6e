import { PolicyPack } from "@pulumi/policy";
import { projectRoot } from "../paths.ts";
import { contextOf } from "./context.ts";
import { policyPack } from "./pack.ts";

// The SDK reads the pack's version from the package.json of the working directory.
process.chdir(projectRoot);
new PolicyPack("mcp-edge", policyPack(contextOf(process.env)));
