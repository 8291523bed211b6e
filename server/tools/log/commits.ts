import { clip } from "../../clip.ts";

/** Longest message body, characters. */
const MAX_BODY = 2_000;

/** Options of git log for the output that parseLog reads. */
export const LOG_FORMAT = [
  "-z",
  "--format=%H%x00%P%x00%an%x00%aI%x00%s%x00%b",
  "--no-color",
  "--no-show-signature",
  "--encoding=UTF-8",
  "--no-patch",
];

export interface Commit {
  commit: string;
  parents: string[];
  author: string;
  date: string;
  subject: string;
  body: string;
}

/** With -z a NUL ends each commit, and each of its six fields. */
export function parseLog(text: string): Commit[] {
  const fields = text.split("\0");
  const commits = [];
  for (let n = 0; n + 6 <= fields.length; n += 6) {
    const [commit = "", parents = "", author = "", date = "", subject = "", body = ""] = fields.slice(
      n,
      n + 6,
    );
    commits.push({
      commit: commit.trim(),
      parents: parents.split(" ").filter(Boolean),
      author,
      date,
      subject: subject.slice(0, 500),
      body: clip(body.trim(), MAX_BODY),
    });
  }
  return commits;
}
