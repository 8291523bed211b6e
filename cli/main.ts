#!/usr/bin/env node
import { runProgram } from "./run-program.ts";

process.exitCode = await runProgram(process.argv.slice(2));
// The engine's SDK keeps handles open; all our work is done here.
process.exit();
