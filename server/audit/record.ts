import { hash } from "node:crypto";
import type { PrincipalKind } from "../auth/principal.ts";

/** Who did something, as far as it is known. */
export interface AuditWho {
  /** The principal's id: a static token's id, `user:` and a person's id, or `sub:` and another issuer's subject. */
  readonly id?: string;
  readonly kind?: PrincipalKind;
  readonly name?: string;
  /** `client_id` of the OAuth client. */
  readonly client?: string | undefined;
}

/** One tool call. Sizes are bytes of JSON in UTF-8. */
export interface ToolCallEvent {
  readonly type: "tool.call";
  readonly who: AuditWho;
  readonly tool: string;
  /** The argument `repo`; missing where the tool takes none or the caller gave none. */
  readonly repository?: string | undefined;
  /** `refused`: the caller can fix it; `error`: the server failed, or the caller was gone. */
  readonly outcome: "ok" | "error" | "refused";
  readonly argumentBytes: number;
  readonly answerBytes?: number | undefined;
  readonly ms: number;
  /** Only with `AUDIT_ARGUMENTS=yes`. */
  readonly arguments?: unknown;
}

/** The first line of every file. */
export interface HeadEvent {
  readonly type: "head";
  /** Differs for each process. */
  readonly writer: string;
  /**
   * The file before this one: the writer's own, or the newest of the folder when the writer started. That file has (at least) so many
   * lines, and this is the hash of that line.
   */
  readonly previous?: FileLink;
}

/** Records that could not be written, such as while the disk was full. */
export interface GapEvent {
  readonly type: "gap";
  readonly lost: number;
}

export interface FileLink {
  readonly file: string;
  readonly lines: number;
  readonly hash: string;
}

/** A record before it has its place in the chain. Any other type is one of `AuthEvent`. */
export type AuditEvent = (
  | ToolCallEvent
  | HeadEvent
  | GapEvent
  | { readonly type: string; readonly who?: AuditWho }
) & {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
};

/** A line of the log. */
export type AuditRecord = AuditEvent & {
  /** Number of the line, from 1. */
  readonly n: number;
  /** Hash of the line before, in hexadecimal; of the first line of a file: zeros. */
  readonly prev: string;
};

export const NO_LINE = "0".repeat(64);

export const lineHash = (line: string | Buffer): string => hash("sha256", line, "hex");

/** Names sort by the time at which the files were made. */
export const AUDIT_FILE = /^audit-\d{8}T\d{9}Z-[0-9a-f]{8}\.jsonl$/;

/** How much of a file was written for sure; beside the file. It shows that lines were cut off at the end. */
export const tipOf = (file: string): string => `${file}.tip`;

/** What a tip file holds. */
export type Tip = Pick<FileLink, "lines" | "hash">;
