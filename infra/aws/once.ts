import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/**
 * The last value of a setting that was not its neutral one, kept in the stack's state by a resource that does nothing. It is for
 * settings that act once: a new `snapshotId` restores when it enters the stack's file, and removing it later changes nothing.
 *
 * Use the result as `replacementTrigger`, together with `ignoreChanges` for inputs that must not cause a replacement. A replacement
 * takes the new values of ignored inputs too.
 *
 * @param neutral the value that keeps the previous one
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
