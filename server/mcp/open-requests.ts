import { type Link, LinkedList } from "../linked-list.ts";
import type { RequestId } from "../store/store.ts";
import type { PostAnswer } from "./post-answer.ts";

interface OpenRequest {
  readonly request: RequestId;
  readonly answer: PostAnswer;
}

/** The requests of a session that are not answered yet, with their answers. There are few at a time. */
export class OpenRequests {
  readonly #open = new LinkedList<OpenRequest>();

  get isEmpty(): boolean {
    return this.#open.first === undefined;
  }

  /** The answers, one for each request. */
  get answers(): PostAnswer[] {
    return [...this.#open].map(({ answer }) => answer);
  }

  add(request: RequestId, answer: PostAnswer): void {
    this.#open.add({ request, answer });
  }

  /** The answer to a request. Of several with the same id, to the last one. */
  answerTo(request: RequestId): PostAnswer | undefined {
    return this.#find(request)?.value.answer;
  }

  /** @param answer default: as `answerTo` @returns the answer to the request that was removed */
  remove(request: RequestId, answer?: PostAnswer): PostAnswer | undefined {
    const link = this.#find(request, answer);
    if (link) this.#open.remove(link);
    return link?.value.answer;
  }

  clear(): void {
    this.#open.clear();
  }

  #find(request: RequestId, answer?: PostAnswer): Link<OpenRequest> | undefined {
    return this.#open.findLast(
      (one) => one.request === request && (answer === undefined || one.answer === answer),
    );
  }
}
