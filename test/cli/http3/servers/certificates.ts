import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Issued {
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

export interface Authority {
  /** A folder of its own, for the tests' files as well. */
  folder: string;
  /** The root certificate, PEM, and the file it lies in. */
  ca: string;
  caFile: string;
  /** A certificate for `name`, by default for the next ten days. */
  issue(name: string, dates?: { from: Date; to: Date }): Issued;
  remove(): void;
}

const DAY_MS = 86_400_000;
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** `YYMMDDHHMMSSZ`, as `openssl ca` wants it. */
const asn1Time = (date: Date): string => `${date.toISOString().slice(2, 19).replace(/\D/g, "")}Z`;

/** A certificate authority made with openssl. */
export function createAuthority(subject = "Test root"): Authority {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-ca-"));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  const caFile = at("ca.pem");
  openssl(
    "req",
    "-x509",
    ...CURVE,
    "-days",
    "30",
    "-subj",
    `/CN=${subject}`,
    "-keyout",
    at("ca.key"),
    "-out",
    caFile,
  );
  mkdirSync(at("issued"));
  writeFileSync(at("index.txt"), "");
  let serial = 1;
  return {
    folder,
    caFile,
    ca: readFileSync(caFile, "utf8"),
    issue(name, dates = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 10 * DAY_MS) }) {
      const id = String(serial++).padStart(4, "0");
      const [keyFile, request, certFile] = [at(`${id}.key`), at(`${id}.csr`), at(`${id}.pem`)];
      openssl("req", ...CURVE, "-subj", `/CN=${name}`, "-keyout", keyFile, "-out", request);
      writeFileSync(at("serial"), id);
      writeFileSync(
        at("ca.cnf"),
        `[ca]\ndefault_ca=test\n[test]\ndatabase=${at("index.txt")}\nserial=${at("serial")}\nnew_certs_dir=${at("issued")}
default_md=sha256\npolicy=any\nunique_subject=no\nx509_extensions=leaf\n[any]\ncommonName=supplied\n[leaf]\nsubjectAltName=DNS:${name}\n`,
      );
      const span = ["-startdate", asn1Time(dates.from), "-enddate", asn1Time(dates.to)];
      const signer = ["-config", at("ca.cnf"), "-cert", caFile, "-keyfile", at("ca.key")];
      openssl("ca", "-batch", "-notext", ...signer, ...span, "-in", request, "-out", certFile);
      return { certFile, keyFile, cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
