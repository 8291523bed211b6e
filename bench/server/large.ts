/** What the tool `large` answers: 40 KB in all, as text and again as structure. */
export const LARGE = "x".repeat(20_000);
/** What the tool `huge` answers: 80 KB in all. */
export const HUGE = "x".repeat(40_000);
