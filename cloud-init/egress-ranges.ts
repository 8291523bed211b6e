import { readFileSync } from "node:fs";
import { isIP } from "node:net";

/** Addresses from which a provider's own machines call MCP servers on behalf of its users: thousands of people behind a few addresses. */
export interface Provider {
  name: string;
  /** Where the provider publishes them: JSON with `prefixes`, or a Markdown page with a section "Outbound IP addresses". */
  source: string;
  /** Day of the list, ISO 8601; the year alone where the day is not known. */
  asOf: string;
  /** Where the list comes from, when it was not read at its source. */
  note?: string;
  /** CIDR, sorted. */
  ranges: string[];
}

export const EGRESS_FILE = new URL("egress-ranges.json", import.meta.url);

/** A list with a wider range than this has been tampered with, or is not what it should be. */
const WIDEST = { 4: 12, 6: 32 } as const;
const MOST_RANGES = 4_096;
const MOST_BYTES = 1_000_000;

export const egressProviders = (): Provider[] => JSON.parse(readFileSync(EGRESS_FILE, "utf8")).providers;

/** All ranges of all providers. fail2ban never bans them: one dead token there would shut out all users. */
export const egressRanges = (): string[] => egressProviders().flatMap(({ ranges }) => ranges);

/**
 * The ranges in what a provider publishes.
 *
 * @throws Error when the text holds none, or an implausible one
 */
export function parseRanges(text: string, source: string): string[] {
  const found = text.trimStart().startsWith("{") ? fromJson(text) : fromMarkdown(text);
  const ranges = [...new Set(found)];
  if (ranges.length === 0) throw new Error(`${source} names no address range; has its form changed?`);
  if (ranges.length > MOST_RANGES)
    throw new Error(`${source} names ${ranges.length} ranges, more than ${MOST_RANGES}`);
  for (const range of ranges) {
    const [address = "", length = "", ...rest] = range.split("/");
    const family = isIP(address) as 0 | 4 | 6;
    const bits = Number(length);
    if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(length) || bits > (family === 4 ? 32 : 128))
      throw new Error(`${source}: ${JSON.stringify(range)} is no address range`);
    if (bits < WIDEST[family])
      throw new Error(`${source}: ${range} is wider than /${WIDEST[family]}: it is refused`);
  }
  return ranges.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function fromJson(text: string): string[] {
  const { prefixes = [] } = JSON.parse(text) as { prefixes?: { ipv4Prefix?: string; ipv6Prefix?: string }[] };
  return prefixes.flatMap(({ ipv4Prefix, ipv6Prefix }) =>
    [ipv4Prefix, ipv6Prefix].filter((one) => one !== undefined),
  );
}

/** Only the outbound section: the inbound addresses are of the provider's own API, the phased out ones may belong to others by now. */
function fromMarkdown(text: string): string[] {
  const section =
    /^#+ *Outbound IP addresses *$([\s\S]*?)(?=^## |^#+ *Phased|(?![\s\S]))/im.exec(text)?.[1] ?? "";
  return section.match(/[0-9a-f:.]+\/\d{1,3}/gi) ?? [];
}

/**
 * The list as its provider publishes it now.
 *
 * @throws Error when it cannot be fetched or is refused; the old list stays
 */
export async function refreshed(provider: Provider, today: string): Promise<Provider> {
  const { name, source } = provider;
  const response = await fetch(source, {
    headers: { accept: "application/json, text/markdown, text/plain" },
    signal: AbortSignal.timeout(20_000),
  }).catch((error: Error) => {
    throw new Error(
      `${name}: ${source} cannot be read: ${(error.cause as Error | undefined)?.message ?? error.message}`,
    );
  });
  if (!response.ok) throw new Error(`${name}: ${source} answers ${response.status}`);
  const text = await response.text();
  if (text.length > MOST_BYTES) throw new Error(`${name}: ${source} is larger than ${MOST_BYTES} bytes`);
  return { name, source, asOf: today, ranges: parseRanges(text, source) };
}
