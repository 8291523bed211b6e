import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";

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

/**
 * Asks a yes-or-no question on standard error; everything but y and yes is no.
 * @param without the command that needs no answer, for the error message
 * @throws Error without a terminal
 */
export async function confirm(question: string, without: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error(`Nobody can confirm the change here. Fix: ${without}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
