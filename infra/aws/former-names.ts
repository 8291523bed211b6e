import type * as pulumi from "@pulumi/pulumi";

/** The name of a stack's edge, from which the names of its resources in AWS are generated. */
export const edgeName = (stack: string): string => `mcp-edge-${stack}`;

/** In earlier versions the edge had the name of its stack, and its parts had fixed names. */
function formerNames(type: string, name: string): string[] {
  const bare = name.replace(/^mcp-edge-/, "");
  const part = /^mcp-edge:aws:(\w+)$/.exec(type)?.[1];
  if (part === "Machine") return [`${bare}-edge`];
  return part && part !== "Edge" ? [`${bare}-${part.toLowerCase()}`] : [bare];
}

/**
 * Gives each resource of an edge its former name as an alias, so that the stacks of earlier versions keep their resources.
 * For the option `transforms` of the edge.
 */
export const withFormerNames: pulumi.ResourceTransform = ({ type, name, props, opts }) => {
  const given = (opts.aliases as (pulumi.Alias | string)[] | undefined) ?? [];
  const names = given.flatMap((alias) =>
    typeof alias === "object" && typeof alias.name === "string" ? [alias.name] : [],
  );
  const former = [name, ...names].flatMap((one) => formerNames(type, one)).map((one) => ({ name: one }));
  return { props, opts: { ...opts, aliases: [...given, ...former] } };
};
