import type { Listing } from "./text-tree.ts";

const shared = new WeakMap<Iterable<string>, Listing>();
let last = 0;

/** A listing for the threads. It is copied once, not for each search. */
export function sharedListing(files: Iterable<string>): Listing {
  let listing = shared.get(files);
  if (!listing) {
    const bytes = Buffer.from([...files].map((path) => `${path}\0`).join(""));
    const paths = new SharedArrayBuffer(bytes.length);
    new Uint8Array(paths).set(bytes);
    listing = { id: ++last, paths };
    shared.set(files, listing);
  }
  return listing;
}
