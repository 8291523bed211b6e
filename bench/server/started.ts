import type { AddressInfo } from "node:net";
import { createApp } from "../../server/app.ts";
import { readConfig } from "../../server/config/config.ts";
import { accessToken } from "./access-token.ts";

/** Our whole server, with all that it does in the background. Reports its port and an access token. */
const app = await createApp({ config: readConfig(process.env) });
await app.http.listen({ host: "127.0.0.1", port: 0 });
await app.start();
const { server } = app.auth;
const token = server && (await accessToken(server));
process.send?.({ port: (app.http.server.address() as AddressInfo).port, token });
