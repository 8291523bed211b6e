import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";

/**
 * Opens a file by a path without symbolic links. O_NOFOLLOW protects only the last part of the path, but a folder before it may have
 * become a link since. So the name of the opened file is read back from the kernel (proc_pid_fd(5)). With O_NONBLOCK a pipe or a device
 * does not block.
 *
 * @throws Error with the code of open(2), or ELOOP if the path leads elsewhere now
 */
export async function openResolved(absolute: string): Promise<FileHandle> {
  const handle = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const opened = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  // There is no /proc on macOS, in development.
  if (opened === undefined || opened === absolute) return handle;
  await handle.close();
  throw Object.assign(new Error(`${absolute} was replaced while it was opened`), { code: "ELOOP" });
}
