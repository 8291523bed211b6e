import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/**
 * The last value of a setting that was not its neutral one, kept in the stack's state by a resource that does nothing. For settings
 * that ask for something once: `machine: replace` replaces when it comes into the stack's file, not at each later change, and not
 * again when it goes back to `keep`.
 *
 * The result is meant for `replacementTrigger`, together with `ignoreChanges` of what must not replace by itself: a replacement takes
 * the new values of ignored inputs too.
 *
 * @param neutral the value that keeps what was asked for before
 */
export function once(
  name: string,
  { value, neutral }: { value: string; neutral: string },
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const keeper = new command.local.Command(
    name,
    { create: ":", environment: { ASKED: value } },
    { ...opts, ...(value === neutral ? { ignoreChanges: ["environment"] } : {}) },
  );
  return keeper.environment.apply((kept) => kept?.ASKED ?? neutral);
}
