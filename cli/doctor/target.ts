import { readFileSync } from "node:fs";
import { isIP } from "node:net";

/** The address or an option is not what `doctor` can work with; the message says what to write instead. */
export class DoctorUsageError extends Error {
  override name = "DoctorUsageError";
}

/** The setting `auth` of a stack. */
export type AuthMode = "oauth" | "token" | "jwt" | "none";

/** What is examined. */
export interface Target {
  /** `https://host` or `https://host:port`, nothing behind it. */
  origin: string;
  /** Host name or IP address, without brackets. */
  host: string;
  port: number;
  /** TCP port of plain HTTP. */
  httpPort: number;
  /** IP address to connect to instead of asking DNS. */
  connect: string | undefined;
  /** PEM, trusted beside the system's roots. */
  ca: string | undefined;
  token: string | undefined;
  /** How the server lets callers in, where that is known. `none`: everybody, so no 401 is expected. */
  auth: AuthMode | undefined;
  /** Where the host is a machine of a stack: what advice needs to name its commands. */
  machine?: TargetMachine | undefined;
}

export interface TargetMachine {
  stack: string;
  /** What terminates TLS there. */
  tlsServer: "nginx" | "caddy";
}

const EXAMPLE = "write it like https://edge.example.com";

/**
 * Reads the address given by the user.
 * @throws DoctorUsageError when it is no https origin: another scheme, no host, a path, a user name.
 */
export function parseOrigin(text: string): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "http") {
    const https = text.replace(/^http:/i, "https:");
    throw new DoctorUsageError(`${text} is plain HTTP: write ${https} (doctor looks at port 80 as well)`);
  }
  if (scheme === undefined) {
    throw new DoctorUsageError(`"${text}" has no scheme: ${text === "" ? EXAMPLE : `write https://${text}`}`);
  }
  if (scheme !== "https") throw new DoctorUsageError(`${text} is not an https address: ${EXAMPLE}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new DoctorUsageError(`"${text}" names no host: ${EXAMPLE}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new DoctorUsageError(
      `The address holds a user name or password: write ${url.origin}, a token goes into MCP_EDGE_TOKEN`,
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new DoctorUsageError(`${text} has a path: write ${url.origin} (doctor knows the paths it tries)`);
  }
  return url;
}

/** @throws DoctorUsageError when `--connect` is no IP address. */
export function parseConnect(text: string): string {
  const bare = text.replace(/^\[|\]$/g, "");
  if (isIP(bare) === 0) {
    throw new DoctorUsageError(
      `--connect takes an IP address such as 192.0.2.10 or 2001:db8::10, not "${text}"`,
    );
  }
  return bare;
}

/**
 * The certificates of `ca`: PEM text, or the path of a file that holds it.
 * @throws DoctorUsageError when the file cannot be read or holds no certificate.
 */
export function readCa(ca: string): string {
  if (ca.includes("-----BEGIN CERTIFICATE-----")) return ca;
  let pem: string;
  try {
    pem = readFileSync(ca, "utf8");
  } catch (error) {
    throw new DoctorUsageError(`The CA file ${ca} cannot be read: ${(error as Error).message}`);
  }
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new DoctorUsageError(
      `${ca} holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----" is missing)`,
    );
  }
  return pem;
}
