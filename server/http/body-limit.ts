/**
 * Largest request body, bytes. The longest arguments of a tool take some 20 KB, and a message is validated many times on its way through
 * the SDK, on the event loop that everybody shares. NGINX takes a little more (client_max_body_size), so that this is the refusal a client
 * reads.
 */
export const BODY_LIMIT = 256 * 1024;

export const BODY_TOO_LARGE = `The body is larger than ${BODY_LIMIT / 1024} KiB, the most that this server takes; send less at once`;
