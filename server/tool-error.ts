/** A failure that the caller can fix. Its message goes to the model as the tool's result (`isError`). */
export class ToolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ToolError";
  }
}
