import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";

/**
 * Loaded with `--import` before a server: profiles it from the first SIGUSR2 to the second, and then writes the profile to PROFILE_FILE.
 * Node's own `--cpu-prof` includes the start, which takes longer than the calls that are looked at.
 */
const file = process.env.PROFILE_FILE ?? "";
const session = new Session();
session.connect();
session.post("Profiler.enable");
let started = false;
process.on("SIGUSR2", () => {
  if (!started) {
    started = true;
    session.post("Profiler.start");
    return;
  }
  session.post("Profiler.stop", (error, result) => {
    if (error) throw error;
    writeFileSync(`${file}.new`, JSON.stringify(result.profile));
    renameSync(`${file}.new`, file);
  });
});
