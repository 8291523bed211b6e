import { ListrLogger, PRESET_TIMER, ProcessOutput } from "listr2";

/** Shows a line under a running task. */
export const say = (task: { output: string }) => (line: string) => {
  task.output = line;
};

/** Progress goes to standard error when standard output is for a machine to read. */
export function progress(json: boolean) {
  const stream = json ? process.stderr : process.stdout;
  const processOutput = new ProcessOutput(stream, process.stderr);
  return {
    renderer: "default",
    // The error is said once, at the end, whole.
    rendererOptions: {
      timer: PRESET_TIMER,
      collapseSubtasks: false,
      showErrorMessage: false,
      collapseErrors: false,
    },
    fallbackRenderer: "simple",
    fallbackRendererCondition: () => json || !stream.isTTY,
    fallbackRendererOptions: { timer: PRESET_TIMER, logger: new ListrLogger({ processOutput }) },
    registerSignalListeners: false,
  } as const;
}
