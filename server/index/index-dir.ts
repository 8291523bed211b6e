import { access, constants, lstat, mkdir } from "node:fs/promises";

/**
 * Makes INDEX_DIR, if it is missing. It must belong to this account: any other owner could choose the results.
 *
 * @throws Error with the command that makes it usable
 */
export async function prepareIndexDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o750 }).catch((error: Error) => {
    throw new Error(`INDEX_DIR=${dir}: ${error.message}; make it writable for the server's account`);
  });
  const stat = await lstat(dir);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.())
    throw new Error(
      `INDEX_DIR=${dir} must be a folder of the server's own account; run: chown ${process.getuid?.()} ${dir}`,
    );
  await access(dir, constants.W_OK | constants.X_OK).catch(() => {
    throw new Error(`INDEX_DIR=${dir} is not writable; add it to ReadWritePaths= of the unit`);
  });
}
