import fp from "fastify-plugin";
import { COPY_SCRIPT } from "../pages/copy.ts";
import { STYLE_SHEET } from "../pages/style.ts";
import { PASSKEY_SCRIPT } from "../people/passkey-script.ts";
import { EVERY_REQUEST } from "./every-request.ts";

const FILES: readonly { path: string; type: string; text: string }[] = [
  { path: STYLE_SHEET.path, type: "text/css; charset=utf-8", text: STYLE_SHEET.css },
  { path: COPY_SCRIPT.path, type: "text/javascript; charset=utf-8", text: COPY_SCRIPT.text },
  { path: PASSKEY_SCRIPT.path, type: "text/javascript; charset=utf-8", text: PASSKEY_SCRIPT.text },
];

/** The headers of a file whose name has its hash. */
export const keptForGood = (type: string) => ({
  "content-type": type,
  "cache-control": "public, max-age=31536000, immutable",
});

/** What the pages load. Each file's name has its hash, so browsers keep it for good. */
export const assets = fp(
  async (app) => {
    for (const { path, type, text } of FILES)
      app.get(path, async (_request, reply) => reply.headers(keptForGood(type)).send(text));
  },
  { name: "assets", dependencies: [...EVERY_REQUEST] },
);
