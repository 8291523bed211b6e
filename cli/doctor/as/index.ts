import type { Check } from "../check.ts";
import type { Context } from "../context.ts";
import { Attempt } from "./attempt.ts";
import { authorization } from "./authorization.ts";
import { challenge, pastedToken, probe } from "./challenge.ts";
import type { ClientShape } from "./clients.ts";
import { preflight } from "./cors.ts";
import { resourceMetadata, serverMetadata } from "./metadata.ts";
import { registration } from "./registration.ts";
import { type SignIn, signInStep } from "./sign-in.ts";
import type { Step } from "./step.ts";
import { forgottenClient, refresh, token } from "./token.ts";
import { tools } from "./tools.ts";

export interface AsOptions {
  /** Path of the MCP endpoint. Default `/mcp`. */
  path?: string;
  /** Who signs in. Without it the checks end at the sign-in page. */
  signIn?: SignIn;
}

/** The checks that show whether one client gets in: its sign-in, step by step, up to a tool call. */
export function checksAs(shape: ClientShape, { path, signIn }: AsOptions = {}): Check[] {
  const attempts = new WeakMap<Context, Attempt>();
  const attemptOf = (context: Context): Attempt => {
    const known = attempts.get(context) ?? new Attempt(shape, context, path);
    attempts.set(context, known);
    return known;
  };
  const steps: Step[] = [
    ...(shape.probesWithGet ? [probe] : []),
    challenge,
    resourceMetadata,
    serverMetadata,
    ...(shape.pastedToken === "ignored" ? [pastedToken] : []),
    ...(shape.origin === undefined ? [] : [preflight]),
    forgottenClient,
    registration,
    authorization,
    ...(signIn === undefined ? [] : [signInStep(signIn), token, tools, refresh]),
  ];
  return steps.map((step) => ({
    id: step.id,
    title: step.title,
    needs: step.needs,
    tried: (context) => described(() => step.tried(attemptOf(context))) ?? step.title,
    run: (context, signal) => step.run(attemptOf(context), signal),
    fix: () => step.fix,
    ...(step.limitMs === undefined ? {} : { limitMs: step.limitMs }),
  }));
}

/** A step that was not reached cannot name what an earlier one would have found. */
function described(text: () => string): string | undefined {
  try {
    return text();
  } catch {
    return undefined;
  }
}
