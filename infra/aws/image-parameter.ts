/** Debian's own images, in a public parameter that Debian maintains (wiki.debian.org/Cloud/AmazonEC2Image/Trixie). */
export const imageParameter = (architecture: "arm64" | "amd64") =>
  `/aws/service/debian/release/13/latest/${architecture}`;
