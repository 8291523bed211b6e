import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";

/**
 * Opens a file by a path whose links were all resolved before. O_NOFOLLOW guards the last part of the path alone; a folder on the way
 * may have become a link since. So the kernel is asked what was really opened (proc_pid_fd(5)). O_NONBLOCK: a pipe is not waited for.
 *
 * @throws Error with the code of open(2), or ELOOP when a link leads elsewhere now
 */
export async function openResolved(absolute: string): Promise<FileHandle> {
  const handle = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const opened = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  // Without a /proc (macOS, in development) there is nobody to ask.
  if (opened === undefined || opened === absolute) return handle;
  await handle.close();
  throw Object.assign(new Error(`${absolute} was replaced while it was opened`), { code: "ELOOP" });
}
