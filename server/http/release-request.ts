import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The part of Node's `_http_common` that is used here. Node itself calls it when a connection is upgraded. */
interface HttpCommon {
  freeParser(parser: object, request: object | null, socket: Socket): void;
}

/** Undefined where a future Node no longer has it: streams then need 6 KB more each, and work as before. */
const common: Partial<HttpCommon> | undefined = (
  process as { getBuiltinModule(name: string): Partial<HttpCommon> | undefined }
).getBuiltinModule("_http_common");

const NONE: string[] = [];

/**
 * Releases what Node keeps of a request whose response is a stream that stays open: its parser (6 KB, half of what an idle connection takes),
 * the text of the headers, and the credential. The connection has no more requests to parse, so the response must have been sent with
 * `Connection: close` (RFC 9112, section 9.6: what follows on the connection is not processed).
 *
 * @param onReleased receives the connection. `server.closeAllConnections` does not know it any more
 */
export function releaseRequest(response: ServerResponse, onReleased: (socket: Socket) => void): void {
  // The parser may be executing: what answers the request is called by it. And the stream sends the headers in its own setImmediate.
  setImmediate(() => {
    const { req, socket } = response;
    if (!socket || socket.destroyed || !req.complete) return;
    req.headers.authorization &&= "";
    req.rawHeaders = NONE;
    // A string of some fifty parts. Once it is sent, Node checks only whether there is one.
    const head = response as { _header?: string; _headerSent?: boolean };
    if (head._headerSent) head._header = "sent";
    const { parser } = socket as { parser?: object };
    if (!parser || !common?.freeParser) return;
    // These pass what arrives to the parser, which soon belongs to another connection.
    socket.removeAllListeners("data").removeAllListeners("end");
    common.freeParser(parser, req, socket);
    socket.on("data", ignore).on("end", destroy);
    onReleased(socket);
  });
}

function ignore(): void {}

function destroy(this: Socket): void {
  this.destroy();
}
