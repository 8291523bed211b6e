import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Runs a program with our own terminal.
 * @returns its exit code
 */
export async function runInTerminal(program: string, args: string[], env = process.env): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit", env });
  // The terminal sends an interrupt to the child as well. The child decides what it means.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  const [code] = await once(child, "exit");
  process.off("SIGINT", ignore);
  return code ?? 1;
}
