/** An element of an answer in XML, as EC2, STS, CloudWatch, S3 and Route 53 give them. */
export class Xml {
  readonly name: string;
  readonly children: Xml[] = [];
  text = "";

  constructor(name: string) {
    this.name = name;
  }

  /** The first element at this path, such as `Error/Code`. */
  at(path: string): Xml | undefined {
    return path
      .split("/")
      .reduce<Xml | undefined>((one, name) => one?.children.find((c) => c.name === name), this);
  }

  /** The text at this path; `""` when there is none. */
  get(path: string): string {
    return this.at(path)?.text ?? "";
  }

  /** The elements of a list, such as `reservationSet/item`. */
  all(path: string): Xml[] {
    const names = path.split("/");
    const last = names.pop();
    const list = names.length === 0 ? this : this.at(names.join("/"));
    return list?.children.filter(({ name }) => name === last) ?? [];
  }
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const decode = (text: string) =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name) return ENTITIES[name] ?? all;
    return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
  });

/**
 * Reads the XML that AWS sends: elements and text. Attributes, comments and namespaces say nothing there.
 * @throws Error when it is no XML, as a proxy's page
 */
export function parseXml(source: string): Xml {
  const root = new Xml("");
  const open = [root];
  for (const [, closing, name, empty, text] of source.matchAll(
    /<(\/?)([\w:.-]+)[^<>]*?(\/?)>|([^<]+)|<[?!][^>]*>/g,
  )) {
    const parent = open.at(-1) as Xml;
    if (text !== undefined) parent.text += decode(text);
    else if (name === undefined) continue;
    else if (closing) open.pop();
    else {
      const element = new Xml(name);
      parent.children.push(element);
      if (!empty) open.push(element);
    }
    if (open.length === 0) break;
  }
  const [first] = root.children;
  if (!first || open.length !== 1) throw new Error(`the answer is no XML: ${source.slice(0, 100)}`);
  return first;
}
