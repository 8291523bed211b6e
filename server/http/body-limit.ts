/**
 * Largest request body, bytes. The longest arguments of a tool take about 20 KB. The SDK validates a message many times, on the event loop
 * that all requests share, so large bodies are costly. NGINX accepts slightly more (client_max_body_size), so that clients get this
 * server's error message.
 */
export const BODY_LIMIT = 256 * 1024;

export const BODY_TOO_LARGE = `The body is larger than ${BODY_LIMIT / 1024} KiB, the most that this server accepts. Send less at once.`;
