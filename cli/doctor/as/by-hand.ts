import { createInterface } from "node:readline/promises";
import { CheckFailure } from "../check.ts";
import type { SignIn } from "./sign-in.ts";

/**
 * A person signs in: the terminal shows the address to open, and takes the address at which the browser ends up.
 * That page itself does not matter: it belongs to the client, which did not ask.
 */
export function byHand(input: NodeJS.ReadableStream = process.stdin, output = process.stderr): SignIn {
  return async (attempt, url, signal) => {
    const lines = createInterface({ input, output });
    try {
      output.write(`\nOpen this address, sign in and agree:\n\n  ${url}\n\n`);
      output.write(`The browser then goes to ${attempt.shape.redirectUri}… and may show an error there.\n`);
      const answer = await lines.question("Paste the whole address that it shows: ", { signal });
      if (!URL.canParse(answer.trim())) throw new CheckFailure("what was pasted is no address");
      return new URL(answer.trim());
    } finally {
      lines.close();
    }
  };
}
