import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";

/** Seconds. Tokens and certificates of clients and servers allow for about as much. */
const TOLERANCE = 30;

/** Whether the server's clock and this host's agree, by the Date header (RFC 9110, section 6.6.1). */
export const clock: Check = {
  id: "clock",
  title: "Clock",
  needs: ["tcp"],
  tried: ({ target }) =>
    `whether the answer to GET ${target.origin}/ has the time of this host in its Date header`,
  async run(context, signal) {
    const asked = Date.now();
    const { headers } = await askHttps(context, { path: "/" }, signal);
    const answered = Date.now();
    const date = Date.parse(headers.date ?? "");
    if (Number.isNaN(date)) throw new CheckFailure(`Date: ${headers.date ?? "none"}`);
    // The header has whole seconds, and was made at some time between question and answer.
    const ahead = Math.max(0, date - answered);
    const behind = Math.max(0, asked - (date + 1_000));
    const seconds = Math.round(Math.max(ahead, behind) / 1_000);
    if (seconds > TOLERANCE)
      throw new CheckFailure(
        `the server's clock is ${seconds} s ${ahead > 0 ? "ahead of" : "behind"} this host's`,
      );
    return seconds === 0
      ? "the same as this host's"
      : `${seconds} s ${ahead > 0 ? "ahead of" : "behind"} this host's`;
  },
  fix: () =>
    "Find out which clock is wrong: date -u, here and on the machine (timedatectl). On the machine: timedatectl set-ntp true",
};
