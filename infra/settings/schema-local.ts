import { computed, metaOf, type Shape, setting } from "./meta.ts";
import { common } from "./schema-common.ts";

/** Settings of `target: local`, a Debian guest on this host. */
export const local = {
  ...common,
  domain: computed(common.domain, ({ stack }) => `${stack}.mcp-edge.test`, {
    ...metaOf(common.domain),
    fallback: "`<stack>.mcp-edge.test`",
  }),
  workspace: setting(common.workspace, ".", metaOf(common.workspace)),
  workspaceRefs: setting(common.workspaceRefs.unwrap(), ["*"], {
    ...metaOf(common.workspaceRefs),
    fallback: "all",
  }),
} satisfies Shape;
