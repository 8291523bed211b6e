/**
 * What h2spec 2.2.1 finds in a bare NGINX 1.26.3 with one static page: groups of h2spec, sections, numbers. NGINX answers a malformed request
 * with a whole response of status 400, which RFC 9113 (section 8.1.1) allows and h2spec does not. It ignores frames of streams that it has
 * answered. The last two are of NGINX as a proxy: it knows no trailers of requests, and may answer before a body was read.
 */
export const OF_NGINX: readonly string[] = [
  ...["hpack/4.2/1", "hpack/5.2/1"],
  ...[
    "4.2/2",
    "4.2/3",
    "5.1/1",
    "5.1/2",
    "5.1/3",
    "5.1/5",
    "5.1/8",
    "5.1/11",
    "6.1/2",
    "6.4/2",
    "6.9.1/3",
  ].map((id) => `http2/${id}`),
  ...[
    "8.1.2/1",
    "8.1.2.1/1",
    "8.1.2.1/2",
    "8.1.2.1/4",
    "8.1.2.2/1",
    "8.1.2.2/2",
    "8.1.2.6/1",
    "8.1.2.6/2",
  ].map((id) => `http2/${id}`),
  ...[1, 2, 3, 4, 5, 6, 7].map((number) => `http2/8.1.2.3/${number}`),
  ...["generic/4/4", "http2/4.2/1"],
];

const GROUPS: Record<string, string> = { Generic: "generic", Hypertext: "http2", "HPACK:": "hpack" };

/** The failures in h2spec's text, as `GROUP/SECTION/NUMBER`. */
export function failuresOf(text: string): string[] {
  const found = new Set<string>();
  let group = "";
  let section = "";
  for (const line of (text.split("Failures:")[1] ?? "").split("\n")) {
    group = GROUPS[line.split(" ")[0] ?? ""] ?? group;
    section = /^ +(\d+(?:\.\d+)*)\. /.exec(line)?.[1] ?? section;
    const number = /^ +× (\d+):/.exec(line)?.[1];
    if (number) found.add(`${group}/${section}/${number}`);
  }
  return [...found];
}
