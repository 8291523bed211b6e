import { describe, expect, test } from "@jest/globals";
import { TYPE } from "../../../infra/policy/policy.ts";
import { goodStack } from "./good-stack.ts";
import { check, type Made, UNKNOWN } from "./harness.ts";

type Path = (string | number)[];

/** Every place of a value, from the outermost inwards. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, one]) => placesOf(one, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function put(value: object, [key = "", ...rest]: Path, what: unknown): void {
  const object = value as Record<string, object>;
  if (rest.length === 0) Object.assign(object, { [key]: what });
  else put(object[key] ?? {}, rest, what);
}

/** The first preview of a stack. No resource has an id yet, and a reference to another resource is known only by its source. */
function firstPreview(stack: Made[]): Made[] {
  const sources: Record<string, [string, string]> = {
    [TYPE.ingress]: ["securityGroupId", "group"],
    [TYPE.publicAccessBlock]: ["bucket", "bucket"],
    [TYPE.bucketEncryption]: ["bucket", "bucket"],
    [TYPE.bucketVersioning]: ["bucket", "bucket"],
    [TYPE.bucketPolicy]: ["bucket", "bucket"],
    [TYPE.alarm]: ["dimensions", "machine"],
  };
  return stack.map((made) => {
    const props: Made["props"] = { ...made.props, ...(made.props.id ? { id: UNKNOWN } : {}) };
    const [property, source] = sources[made.type] ?? [];
    if (made.type === TYPE.bucket) props.bucket = UNKNOWN;
    if (!property || !source) return { ...made, props };
    const unknown = property === "dimensions" ? { InstanceId: UNKNOWN } : UNKNOWN;
    const from = made.from ?? { [property]: [source] };
    return { ...made, props: { ...props, [property]: unknown }, from };
  });
}

describe("values that a preview does not know", () => {
  test("are no violation in any place", async () => {
    const places = goodStack().flatMap(({ props }, i) => placesOf(props).map((path) => [i, path] as const));
    expect(places.length).toBeGreaterThan(100);
    for (const [i, path] of places) {
      const stack = goodStack();
      put(stack[i]?.props ?? {}, path, UNKNOWN);
      const violations = (await check(stack)).filter(({ kind }) => kind === "violation");
      expect({ where: `${stack[i]?.name}.${path.join(".")}`, violations }).toEqual({
        where: `${stack[i]?.name}.${path.join(".")}`,
        violations: [],
      });
    }
  });

  test("are reported as unknown where a policy needs them", async () => {
    const stack = goodStack();
    put(
      stack.find(({ name }) => name === "machine")?.props ?? {},
      ["metadataOptions", "httpTokens"],
      UNKNOWN,
    );
    expect(await check(stack)).toEqual([
      {
        policy: "imdsv2",
        kind: "unknown",
        text: "string value at .metadataOptions.httpTokens can't be known during preview",
      },
    ]);
  });

  test("do not hide the findings of policies of the whole stack", async () => {
    const preview = firstPreview(goodStack());
    expect(await check(preview)).toEqual([]);
    const without = async (name: string) =>
      (await check(preview.filter((made) => made.name !== name))).map(({ text }) => text);
    expect(await without("alarm")).toEqual(["machine has no alarm on its status checks"]);
    expect(await without("block")).toEqual(["bucket bucket: no BucketPublicAccessBlock"]);
    expect(await without("udp-443-cidrIpv6")).toEqual(["::/0 reaches TCP 443 and not UDP 443"]);
  });

  test("do not make two machines or two buckets look the same", async () => {
    const preview = firstPreview(goodStack());
    const second = preview.flatMap((made): Made[] =>
      made.name === "machine" || made.name === "bucket" ? [{ ...made, name: `${made.name}-2` }] : [],
    );
    expect((await check([...preview, ...second])).map(({ text }) => text)).toEqual([
      "bucket bucket-2: no BucketPublicAccessBlock",
      "bucket bucket-2: no encryption configured (BucketServerSideEncryptionConfiguration)",
      "bucket bucket-2: no versioning (BucketVersioning)",
      "bucket bucket-2: no policy that refuses requests without TLS (BucketPolicy)",
      "machine-2 has no alarm on its status checks",
    ]);
  });
});
