/** What the tool `large` answers: 40 KB. */
export const LARGE = "x".repeat(40_000);
