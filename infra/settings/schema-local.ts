import { computed, metaOf, type SettingMeta, type Shape } from "./meta.ts";
import { common } from "./schema-common.ts";

/** Settings of `target: local`, a Debian guest on this host. */
export const local = {
  ...common,
  domain: computed(common.domain, ({ stack }) => `${stack}.mcp-edge.test`, {
    ...metaOf(common.domain),
    fallback: "`<stack>.mcp-edge.test`",
  }),
  workspace: common.workspace.default(".").meta({ ...metaOf(common.workspace) } satisfies SettingMeta),
  workspaceRefs: common.workspaceRefs
    .unwrap()
    .default(["*"])
    .meta({
      ...metaOf(common.workspaceRefs),
      fallback: "all",
    } satisfies SettingMeta),
} satisfies Shape;
