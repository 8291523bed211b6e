import { gunzipSync } from "node:zlib";
import type { ReportViolation, ResourceValidation } from "@pulumi/policy";
import { on, TYPE } from "./policy.ts";

const isGzip = (bytes: Buffer) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The bytes of the user data: EC2's limit counts these, and cloud-init receives them. */
function bytesOf(plain: unknown, base64: unknown): Buffer | undefined {
  if (typeof base64 === "string" && base64) return Buffer.from(base64, "base64");
  if (typeof plain === "string" && plain) return Buffer.from(plain);
  return undefined;
}

/** The user data as text: decompressed, followed by every long base64 run in it, decoded (cloud-init's `encoding: gz+b64`). */
export function readable(bytes: Buffer): string {
  const text = (isGzip(bytes) ? gunzipSync(bytes) : bytes).toString("utf8");
  const inner = [...text.matchAll(/[A-Za-z0-9+/]{40,}={0,2}/g)].map(([run]) => {
    const decoded = Buffer.from(run, "base64");
    try {
      return (isGzip(decoded) ? gunzipSync(decoded) : decoded).toString("utf8");
    } catch {
      return "";
    }
  });
  return [text, ...inner].join("\n");
}

/** Checks the user data of every resource that has some. */
export function onUserData(check: (bytes: Buffer, report: ReportViolation) => void): ResourceValidation[] {
  return [
    on(TYPE.instance, (props, _, report) => {
      const bytes = bytesOf(props.userData, props.userDataBase64);
      if (bytes) check(bytes, report);
    }),
    on(TYPE.launchTemplate, (props, _, report) => {
      const bytes = bytesOf(undefined, props.userData);
      if (bytes) check(bytes, report);
    }),
  ];
}
