import { randomBytes } from "node:crypto";
import { type Check, CheckFailure } from "../../check.ts";
import { tlsConnect } from "../../clients/tls.ts";

export const unknownHost: Check = {
  id: "unknown-host",
  title: "Unknown host refused",
  needs: ["tcp"],
  tried: () => "a TLS handshake with a host name that nobody serves",
  async run(context, signal) {
    const servername = `${randomBytes(6).toString("hex")}.invalid`;
    try {
      const socket = await tlsConnect(context, signal, { servername, rejectUnauthorized: false });
      const subject = socket.getPeerCertificate().subject?.CN ?? "a certificate";
      socket.destroy();
      throw new CheckFailure(`the handshake was accepted for a foreign name and shows ${subject}`);
    } catch (error) {
      if (error instanceof CheckFailure || signal.aborted) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ECONNREFUSED" || code === "ETIMEDOUT") throw error;
      const alert = /alert ([a-z ]+)|(unrecognized name)/.exec(message);
      return `refused in the handshake${alert ? ` (${alert[2] ?? alert[1]?.trim()})` : ""}`;
    }
  },
  fix: () =>
    "Give port 443 a default server that refuses: listen 443 ssl default_server; ssl_reject_handshake on; " +
    "(scanners by address then learn no name)",
};
