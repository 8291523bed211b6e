import { readFileSync } from "node:fs";

/** Whether a process runs. One that has ended keeps its place in /proc, in state Z, until its parent or PID 1 has reaped it (proc(5)). */
export function isRunning(pid: number | string): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
