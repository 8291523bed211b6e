import { expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";

test("a failure names the command, its exit code and the end of its output", async () => {
  await expect(run("sh", ["-c", "echo why >&2; exit 3"])).rejects.toThrow(
    "sh -c echo why >&2; exit 3: ended with exit code 3\n  why",
  );
});

test("a failure of a command elsewhere names that command, and not the way there", async () => {
  const way = ["-c", "echo 'no client has this id' >&2; exit 1"];
  await expect(run("sh", way, { shownAs: "clients remove x (on machine dev)" })).rejects.toThrow(
    /^clients remove x \(on machine dev\): ended with exit code 1\n {2}no client has this id$/,
  );
});
