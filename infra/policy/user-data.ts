import { gunzipSync } from "node:zlib";
import type { ReportViolation, ResourceValidation } from "@pulumi/policy";
import { on, TYPE } from "./policy.ts";

const isGzip = (bytes: Buffer) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The user-data's bytes as EC2 counts and cloud-init gets them. */
function bytesOf(plain: unknown, base64: unknown): Buffer | undefined {
  if (typeof base64 === "string" && base64) return Buffer.from(base64, "base64");
  if (typeof plain === "string" && plain) return Buffer.from(plain);
  return undefined;
}

/** What a reader finds in them: unpacked, and with every long base64 run in it unpacked too (cloud-init's `encoding: gz+b64`). */
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

/** A check of the user-data of whatever has some. */
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
