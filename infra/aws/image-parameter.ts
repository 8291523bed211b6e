/** Debian's own images, named by a public parameter that Debian keeps (wiki.debian.org/Cloud/AmazonEC2Image/Trixie). */
export const imageParameter = (architecture: "arm64" | "amd64") =>
  `/aws/service/debian/release/13/latest/${architecture}`;
