import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest();
const url64 = (data: Buffer | string) => Buffer.from(data).toString("base64url");

/** User present (bit 0) and verified (bit 2); Web Authentication, section 6.1. */
const PRESENT_AND_VERIFIED = 0b101;
const ATTESTED = 0b1000000;

/** A passkey in software, as a browser and its authenticator use it: ES256, no attestation. */
export class SoftAuthenticator {
  readonly id = randomBytes(16);
  readonly #key: KeyObject;
  readonly #public: { x: Buffer; y: Buffer };
  readonly #origin: string;
  flags = PRESENT_AND_VERIFIED;
  counter = 0;

  constructor(origin: string) {
    this.#origin = origin;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    this.#key = privateKey;
    this.#public = { x: Buffer.from(x, "base64url"), y: Buffer.from(y, "base64url") };
  }

  /** @param options JSON of the server @returns JSON for the form */
  create(options: string): string {
    const { challenge, rp } = JSON.parse(options);
    const { x, y } = this.#public;
    // COSE_Key (RFC 9053, section 7.1.1): kty 2, alg -7, crv 1.
    const cose = [Buffer.from("a5010203262001215820", "hex"), x, Buffer.from("225820", "hex"), y];
    const length = Buffer.from([0, this.id.length]);
    const attested = [Buffer.alloc(16), length, this.id, ...cose];
    const authData = Buffer.concat([this.#data(rp.id, ATTESTED), ...attested]);
    // {"fmt": "none", "attStmt": {}, "authData": bytes}
    const head = Buffer.concat([
      Buffer.from([0xa3, 0x63]),
      Buffer.from("fmt"),
      Buffer.from([0x64]),
      Buffer.from("none"),
      Buffer.from([0x67]),
      Buffer.from("attStmt"),
      Buffer.from([0xa0, 0x68]),
      Buffer.from("authData"),
      Buffer.from([0x58, authData.length]),
    ]);
    return this.#answer({
      clientDataJSON: url64(this.#clientData("webauthn.create", challenge)),
      attestationObject: url64(Buffer.concat([head, authData])),
    });
  }

  /** As above. */
  get(options: string): string {
    const { challenge, rpId } = JSON.parse(options);
    this.counter++;
    const data = this.#data(rpId, 0);
    const clientData = this.#clientData("webauthn.get", challenge);
    const signature = createSign("sha256")
      .update(Buffer.concat([data, sha256(clientData)]))
      .sign(this.#key);
    return this.#answer({
      clientDataJSON: url64(clientData),
      authenticatorData: url64(data),
      signature: url64(signature),
    });
  }

  #clientData(type: string, challenge: string): string {
    return JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false });
  }

  #data(rpId: string, flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([sha256(rpId), Buffer.from([this.flags | flags]), counter]);
  }

  #answer(response: Record<string, string>): string {
    const id = url64(this.id);
    return JSON.stringify({ id, rawId: id, type: "public-key", clientExtensionResults: {}, response });
  }
}
