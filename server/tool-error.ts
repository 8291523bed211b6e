/** A failure that the caller can mend: its text goes to the model as the tool's answer (`isError`). */
export class ToolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ToolError";
  }
}
