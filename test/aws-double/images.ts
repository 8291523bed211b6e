import { createHash } from "node:crypto";

/** Debian's images in the double: two of Debian 13 for each architecture. "latest" is the later one. */

export interface Image {
  id: string;
  architecture: "arm64" | "x86_64";
  name: string;
}

const DATES = ["20260901-1", "20261101-1"];

const idOf = (region: string, name: string) =>
  `ami-0${createHash("sha256").update(`${region}/${name}`).digest("hex").slice(0, 16)}`;

const images = (region: string): Image[] =>
  DATES.flatMap((date) =>
    (["arm64", "amd64"] as const).map((debian) => {
      const name = `debian-13-${debian}-${date}`;
      return { id: idOf(region, name), name, architecture: debian === "amd64" ? "x86_64" : "arm64" } as const;
    }),
  );

export const imageOf = (region: string, id: string) => images(region).find((image) => image.id === id);

/** Public parameters of Systems Manager, e.g. `/aws/service/debian/release/13/latest/arm64`. */
export function publicParameter(region: string, name: string): string | undefined {
  const [, debian] = /^\/aws\/service\/debian\/release\/13\/latest\/(arm64|amd64)$/.exec(name) ?? [];
  return images(region).findLast((image) => image.name.includes(`-${debian}-`))?.id;
}

/** An image that exists and is not the latest. */
export const olderImage = (region: string, debian: "arm64" | "amd64") =>
  images(region).find((image) => image.name.includes(`-${debian}-`))?.id ?? "";
