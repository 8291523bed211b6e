import {
  SERVER_INFO_META_KEY,
  type ServerEvent,
  SUBSCRIPTION_ID_META_KEY,
  type SubscriptionFilter,
} from "@modelcontextprotocol/server";
import type { EventStream } from "../http/event-stream.ts";
import type { RequestId } from "../store/store.ts";
import { SERVER_INFO } from "../version.ts";
import { hasOnly, isObject, type PlainRequest } from "./plain-request.ts";

/** The first event of a stream, as the SDK made it. */
export interface Acknowledgment {
  /** The text of the whole event. */
  readonly event: string;
  /** What the server honors of what the client requested. */
  readonly filter: SubscriptionFilter;
}

/**
 * One `subscriptions/listen` stream (2026-07-28). The SDK checks the request and acknowledges it; from then on the events are sent from here,
 * because the SDK's web streams and timers take more memory than the whole rest of an open stream.
 */
export class Subscription {
  readonly #id: RequestId;
  /** What happens before the acknowledgment is sent follows it. */
  #early: ServerEvent[] | undefined = [];
  #filter: SubscriptionFilter = {};
  #stream: EventStream | undefined;

  /** @param id the id of the request */
  constructor(id: RequestId) {
    this.#id = id;
  }

  /** Sends the acknowledgment, and from now on events. The stream ends at once if nothing is followed. */
  open(stream: EventStream, { event, filter }: Acknowledgment): void {
    this.#stream = stream;
    this.#filter = filter;
    stream.send(event);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const each of early) this.publish(each);
    if (Object.keys(filter).length === 0) this.complete();
  }

  publish(event: ServerEvent): void {
    if (this.#early) this.#early.push(event);
    else if (follows(this.#filter, event)) this.#stream?.send(eventText(notification(event, this.#id)));
  }

  /** Sends the result, and ends the stream. */
  complete(): void {
    const _meta = { [SUBSCRIPTION_ID_META_KEY]: this.#id, [SERVER_INFO_META_KEY]: SERVER_INFO };
    const result = { resultType: "complete", _meta };
    this.#stream?.send(eventText({ jsonrpc: "2.0", id: this.#id, result }));
    this.#stream?.finish();
  }
}

function follows(filter: SubscriptionFilter, event: ServerEvent): boolean {
  switch (event.kind) {
    case "tools_list_changed":
      return filter.toolsListChanged === true;
    case "prompts_list_changed":
      return filter.promptsListChanged === true;
    case "resources_list_changed":
      return filter.resourcesListChanged === true;
    case "resource_updated":
      return filter.resourceSubscriptions?.includes(event.uri) ?? false;
  }
}

const METHODS = {
  tools_list_changed: "notifications/tools/list_changed",
  prompts_list_changed: "notifications/prompts/list_changed",
  resources_list_changed: "notifications/resources/list_changed",
  resource_updated: "notifications/resources/updated",
} as const satisfies Record<ServerEvent["kind"], string>;

function notification(event: ServerEvent, subscription: RequestId): object {
  const { kind, params } = event;
  const _meta = { ...(params?._meta as object | undefined), [SUBSCRIPTION_ID_META_KEY]: subscription };
  const uri = kind === "resource_updated" ? { uri: event.uri } : {};
  return { jsonrpc: "2.0", method: METHODS[kind], params: { ...params, ...uri, _meta } };
}

const eventText = (message: object) => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

const PARAMS: ReadonlySet<string> = new Set(["notifications", "_meta"]);
const LISTS = ["toolsListChanged", "promptsListChanged", "resourcesListChanged"] as const;
const FILTER: ReadonlySet<string> = new Set([...LISTS, "resourceSubscriptions"]);

/**
 * The acknowledgment of a plain request, as the SDK makes it for a server that declares all capabilities (see buildMcpServer).
 *
 * @param uris the resources that are followed
 * @returns undefined for a request that the SDK must answer
 */
export function directAcknowledgment(
  { id, params }: PlainRequest,
  uris: readonly string[],
): Acknowledgment | undefined {
  const { notifications } = params;
  if (!hasOnly(params, PARAMS) || !isObject(notifications) || !hasOnly(notifications, FILTER))
    return undefined;
  const filter: SubscriptionFilter = {};
  for (const list of LISTS) {
    const wanted = notifications[list];
    if (wanted !== undefined && typeof wanted !== "boolean") return undefined;
    if (wanted) filter[list] = true;
  }
  const resources = notifications.resourceSubscriptions ?? [];
  if (!Array.isArray(resources) || !resources.every((uri) => typeof uri === "string")) return undefined;
  if (uris.length > 0) filter.resourceSubscriptions = [...uris];
  const message = {
    jsonrpc: "2.0",
    method: "notifications/subscriptions/acknowledged",
    params: { notifications: filter, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } },
  };
  return { event: eventText(message), filter };
}

/** Reads the acknowledgment from the SDK's answer, and ends the SDK's stream. @returns undefined for an answer that is no stream */
export async function acknowledgmentIn(response: Response): Promise<Acknowledgment | undefined> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return undefined;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  // The SDK sends each event as one piece.
  const { value } = await reader.read();
  void reader.cancel();
  const event = new TextDecoder().decode(value);
  const data = /^data: (.*)$/m.exec(event)?.[1] ?? "";
  return { event, filter: JSON.parse(data).params.notifications };
}
