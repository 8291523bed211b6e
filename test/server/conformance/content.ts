/** A red pixel. */
export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** A WAV file without a sample. */
export const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

export const text = (words: string) => ({ type: "text" as const, text: words });
export const answer = (words: string) => ({ content: [text(words)] });
export const user = (content: object) => ({
  role: "user" as const,
  content: content as ReturnType<typeof text>,
});

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
