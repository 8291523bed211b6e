import { type DoctorOptions, type DoctorProgress, type DoctorReport, runDoctor } from "./run.ts";

const EVERY_MS = 120;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface ProgressLine {
  update(event: DoctorProgress): void;
  /** Wipes the line. */
  end(): void;
}

/** What is under way, as one line: how many are done, how many failed, and what is still awaited. */
export function progressText(
  done: number,
  failed: number,
  total: number,
  waiting: string[],
  seconds: number,
): string {
  const bad = failed === 0 ? "" : `, ${failed} failed`;
  const names = waiting.slice(0, 3).join(", ");
  const more = waiting.length > 3 ? ` and ${waiting.length - 3} more` : "";
  return `${done} of ${total} done${bad}, ${seconds} s${names === "" ? "" : ` · waiting for ${names}${more}`}`;
}

/** A line on the terminal that is written over again and again. Only for a TTY. */
function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  const waiting = new Map<string, string>();
  const started = Date.now();
  let done = 0;
  let failed = 0;
  let total = 0;
  let frame = 0;
  const draw = (): void => {
    const seconds = Math.round((Date.now() - started) / 1000);
    const text = progressText(done, failed, total, [...waiting.values()], seconds);
    const line = `${FRAMES[frame++ % FRAMES.length]} ${text}`;
    stream.write(`\r\u001b[K${line.slice(0, Math.max(20, stream.columns - 1))}`);
  };
  const timer = setInterval(draw, EVERY_MS);
  return {
    update(event) {
      total = event.total;
      if (event.kind === "started") waiting.set(event.id, event.title);
      else {
        waiting.delete(event.result.id);
        done++;
        if (!event.result.ok) failed++;
      }
    },
    end() {
      clearInterval(timer);
      stream.write("\r\u001b[K");
    },
  };
}

/** Runs the checks with a line of progress on standard error, where that is a terminal. @param quiet leaves the line out */
export async function runWithProgress(options: DoctorOptions, quiet = false): Promise<DoctorReport> {
  if (quiet || !process.stderr.isTTY) return runDoctor(options);
  const progress = progressLine(process.stderr);
  return runDoctor({ ...options, onProgress: progress.update }).finally(progress.end);
}
