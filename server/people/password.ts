import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Refusal } from "../http/errors.ts";

/** OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/** Each computation holds 19 MiB and a thread of the pool: a flood of sign-ins waits its turn, and beyond that is refused. */
const AT_ONCE = 2;
const MAX_WAITING = 32;

/** NIST SP 800-63B, section 3.1.1.2: at least 8 characters with a second factor; we ask for more. */
export const PASSWORD_MIN = 10;
export const PASSWORD_MAX = 256;

const derive = promisify(argon2);
let running = 0;
const waiting: (() => void)[] = [];

/** @returns a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`) */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const { memory: m, passes: t, parallelism: p } = PARAMETERS;
  const tag = await compute(password, salt, PARAMETERS, TAG_BYTES);
  return `$argon2id$v=19$m=${m},t=${t},p=${p}$${base64(salt)}$${base64(tag)}`;
}

/**
 * Whether `password` belongs to `hash`. Without a hash the same work is done for nothing, so that the time does not tell which logins
 * exist.
 *
 * @param options.first before the others that wait, and never refused: for few callers who are known
 * @throws Refusal 503 when too many checks wait
 */
export async function verifyPassword(
  hash: string | undefined,
  password: string,
  { first = false }: { first?: boolean } = {},
): Promise<boolean> {
  const parsed = parse(hash ?? DUMMY);
  if (!parsed) throw new Error("The stored password hash is not an argon2id PHC string");
  // Longer ones cannot be set. They are cut, and fail, after the same work.
  const tag = await compute(password.slice(0, PASSWORD_MAX), parsed.salt, parsed, parsed.tag.length, first);
  return timingSafeEqual(tag, parsed.tag) && hash !== undefined && password.length <= PASSWORD_MAX;
}

/** @returns what is wrong with a new password */
export function passwordProblem(password: string, login: string): string | undefined {
  if (password.length < PASSWORD_MIN) return `Choose a password of at least ${PASSWORD_MIN} characters.`;
  if (password.length > PASSWORD_MAX) return `Choose a password of at most ${PASSWORD_MAX} characters.`;
  if (new Set(password).size < 5) return "Choose a password with more different characters.";
  if (password.toLowerCase().includes(login)) return "Choose a password that does not contain your login.";
  return undefined;
}

interface Parsed {
  memory: number;
  passes: number;
  parallelism: number;
  salt: Buffer;
  tag: Buffer;
}

function parse(hash: string): Parsed | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash);
  if (!match) return undefined;
  const [, m, t, p, salt = "", tag = ""] = match;
  return {
    memory: Number(m),
    passes: Number(t),
    parallelism: Number(p),
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

async function compute(
  password: string,
  nonce: Buffer,
  { memory, passes, parallelism }: Pick<Parsed, "memory" | "passes" | "parallelism">,
  tagLength: number,
  first = false,
): Promise<Buffer> {
  if (running >= AT_ONCE) {
    if (!first && waiting.length >= MAX_WAITING)
      throw new Refusal(503, "Too many people are signing in at the moment. Try again in a minute.", 60);
    await new Promise<void>((resolve) => (first ? waiting.unshift(resolve) : waiting.push(resolve)));
  } else running++;
  try {
    // One spelling for each character (RFC 8265, section 4.2.2).
    const message = password.normalize("NFC");
    return await derive("argon2id", { message, nonce, memory, passes, parallelism, tagLength });
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

const base64 = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");

/** No password belongs to it. */
const DUMMY = `$argon2id$v=19$m=${PARAMETERS.memory},t=${PARAMETERS.passes},p=${PARAMETERS.parallelism}$${base64(randomBytes(SALT_BYTES))}$${base64(randomBytes(TAG_BYTES))}`;
