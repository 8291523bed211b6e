import type { CommonSettings } from "./settings.ts";
import { bundleOf, resolveWorkspace, type Workspace } from "./workspace.ts";

/** The workspace, and the bundle of its commits in this host's cache. */
export interface PreparedWorkspace {
  workspace: Workspace;
  /** Path of the bundle; "": the machine clones a URL. */
  bundle: string;
}

/**
 * Read what an edge needs from the workspace's repository. Constructors of components are synchronous, so this happens before.
 * @throws Error when the workspace cannot be pushed (workspace.ts)
 */
export async function prepareWorkspace(
  settings: Pick<CommonSettings, "workspace" | "workspaceRefs">,
): Promise<PreparedWorkspace> {
  const workspace = await resolveWorkspace(settings.workspace, settings.workspaceRefs);
  return { workspace, bundle: await bundleOf(workspace) };
}
