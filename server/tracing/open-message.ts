/** How an operation ended. */
export interface Ended {
  /** The code of the JSON-RPC error. */
  readonly code?: string;
  /** `error.type`: that code, `tool_error`, or why there is no answer. Undefined: it succeeded. */
  readonly error?: string;
  /** The prompt, if there is one of the name that the client gave. */
  readonly prompt?: string | undefined;
}

interface Response {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly error?: { readonly code?: unknown };
  readonly result?: { readonly isError?: unknown };
}

/** A message of a client that is not answered yet. */
export class OpenMessage {
  readonly #id: unknown;
  readonly #prompt: string | undefined;
  readonly #listens: boolean;
  readonly #end: (ended: Ended) => void;

  /**
   * @param message `prompt` is the prompt that it names, `listens` whether its client ends it by leaving. The id of a notification is undefined
   * @param end called once
   */
  constructor(
    { id, prompt, listens }: { id?: unknown; prompt?: string | undefined; listens: boolean },
    end: (ended: Ended) => void,
  ) {
    this.#id = id;
    this.#prompt = prompt;
    this.#listens = listens;
    this.#end = end;
  }

  /** @param text a part of the answer: JSON, or whole events @returns whether it ends the message */
  answered(text: string): boolean {
    for (const response of responsesIn(text)) {
      // An error without an id is the answer to all messages of the request.
      if (response.id !== this.#id && !(response.error && (response.id ?? null) === null)) continue;
      const { error, result } = response;
      if (error) this.#end({ code: String(error.code), error: String(error.code) });
      else if (result?.isError === true) this.#end({ error: "tool_error" });
      else this.#end({ prompt: this.#prompt });
      return true;
    }
    return false;
  }

  /** The request is over. @param status of the HTTP response; undefined if there is none */
  closed(status: number | undefined): void {
    if (status !== undefined && status >= 400) this.#end({ error: String(status) });
    // A notification is acknowledged by the status alone. A request has no other answer if it was cancelled.
    else if (status === 202) this.#end(this.#id === undefined ? {} : { error: "cancelled" });
    else if (status !== undefined && this.#listens) this.#end({});
    else this.#end({ error: "client_closed" });
  }
}

function responsesIn(text: string): Response[] {
  const texts = /^[[{]/.test(text)
    ? [text]
    : [...text.matchAll(/^data: (.+)$/gm)].map(([, data = ""]) => data);
  return texts
    .flatMap(parsed)
    .filter((message) => typeof message === "object" && message !== null && message.method === undefined);
}

/** What is no JSON, such as a piece of an event, is nothing that ends a message. */
function parsed(text: string): Response[] {
  try {
    const value: Response | Response[] = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}
