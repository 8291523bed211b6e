import type * as pulumi from "@pulumi/pulumi";

/**
 * A change to a child resource before it is created: arguments that are merged over the component's own, or a function that edits the
 * arguments and options in place.
 */
export type Transform<Args> =
  | Partial<Args>
  | ((args: Args, opts: pulumi.CustomResourceOptions, name: string) => void);

/**
 * The arguments of a resource's constructor after a transform: `new aws.ec2.Vpc(...transformed(transform?.vpc, name, args, opts))`.
 */
export function transformed<Args extends object>(
  transform: Transform<Args> | undefined,
  name: string,
  args: Args,
  opts: pulumi.CustomResourceOptions,
): [string, Args, pulumi.CustomResourceOptions] {
  if (typeof transform !== "function") return [name, { ...args, ...transform }, opts];
  const [editedArgs, editedOpts] = [{ ...args }, { ...opts }];
  transform(editedArgs, editedOpts, name);
  return [name, editedArgs, editedOpts];
}
