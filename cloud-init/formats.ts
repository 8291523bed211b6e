import * as z from "zod";

/** Formats that several settings of a machine share. */

export const text = (pattern: RegExp, what: string) =>
  z.string(`must be ${what}`).regex(pattern, `must be ${what}`);

/** A whole number of a range, both ends included. */
export const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
};

export const flag = z.boolean("must be true or false");

/** Requests a second. */
export const rateLimit = wholeNumber(1, 10_000);
