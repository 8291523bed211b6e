import { type FSWatcher, readFileSync, statfsSync, watch } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

/**
 * File systems whose changes the kernel reports (statfs(2), `f_type`): those that no other machine can write to. btrfs, ext, F2FS, overlayfs,
 * tmpfs, XFS, ZFS.
 */
const LOCAL = new Set([0x9123683e, 0xef53, 0xf2f52010, 0x794c7630, 0x01021994, 0x58465342, 0x2fc12fc1]);
const MAX_FOLDERS = 20_000;

/** Number of reported changes in this thread. The kernel drops changes when too many wait (inotify(7), IN_Q_OVERFLOW). */
let reported = 0;
const queued = queueLength();

/** Waits until the changes from before this call are reported: they are among the events of this turn of the event loop, or of the next. */
export async function reportedChanges(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Notices changes of files in some folders of a work tree at once, where the kernel reports them. */
export class FolderWatch {
  readonly #root: string;
  readonly #watchers = new Map<string, FSWatcher>();
  #folders: ReadonlySet<string> = new Set();
  #changed = new Set<string>();
  /** False if changes may have gone unnoticed: all files must be compared. */
  #complete = false;
  #usable: boolean;
  #seen = reported;

  constructor(root: string) {
    this.#root = root;
    this.#usable = process.platform === "linux" && LOCAL.has(statfsSync(root).type);
  }

  /** Watches the folders, and no others. @param folders relative to the root; "" is the root itself */
  cover(folders: ReadonlySet<string>): void {
    this.#folders = folders;
    for (const [folder, watcher] of this.#watchers)
      if (!folders.has(folder)) {
        watcher.close();
        this.#watchers.delete(folder);
      }
    if (folders.size > MAX_FOLDERS) this.#giveUp();
    for (const folder of folders) if (this.#usable && !this.#watchers.has(folder)) this.#add(folder);
  }

  /**
   * The paths that changed since the last call; undefined if all files must be compared. The caller waits for reportedChanges() before.
   */
  changes(): ReadonlySet<string> | undefined {
    const changed = this.#changed;
    const lost = reported - this.#seen >= queued / 2;
    const complete = this.#complete && !lost && this.#usable;
    this.#changed = new Set();
    this.#complete = this.#usable;
    this.#seen = reported;
    return complete ? changed : undefined;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #add(folder: string): void {
    try {
      const watcher = watch(join(this.#root, folder), { persistent: false }, (_, name) => {
        reported++;
        const path = folder === "" ? name : `${folder}/${name}`;
        if (path === null || name === null) this.#complete = false;
        else if (this.#folders.has(path)) this.#renew(path);
        else this.#changed.add(path);
      });
      watcher.on("error", () => this.#giveUp());
      this.#watchers.set(folder, watcher);
    } catch (error) {
      // A folder that is gone has no files. Otherwise the limit of the kernel is reached (fs.inotify.max_user_watches).
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["ENOENT", "ENOTDIR"].includes(code)) this.#giveUp();
    }
  }

  /** A folder may be another one now, and those below it too. */
  #renew(path: string): void {
    this.#complete = false;
    for (const [folder, watcher] of this.#watchers)
      if (folder === path || folder.startsWith(`${path}/`)) {
        watcher.close();
        this.#watchers.delete(folder);
      }
  }

  #giveUp(): void {
    this.#usable = false;
    this.close();
  }
}

function queueLength(): number {
  try {
    return Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8")) || 16_384;
  } catch {
    return 16_384;
  }
}
