import { beforeAll, expect, test } from "@jest/globals";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import fc from "fast-check";
import { AwsEdge } from "../../../infra/aws/index.ts";
import { prepareAwsEdge } from "../../../infra/aws/prepare.ts";
import { architectureOf } from "../../../infra/instance-types.ts";
import { contextOf } from "../../../infra/policy/context.ts";
import { FAMILIES, SIZES } from "../../../infra/policy/policies/instance-types.ts";
import { TAGGED } from "../../../infra/policy/policies/tags.ts";
import { type AwsSettings, parseSettings } from "../../../infra/settings.ts";
import { recording, settled } from "../aws/mocks.ts";
import { check, type Made, UNKNOWN } from "./harness.ts";

/** The parts of a registration that the mocks do not pass on. */
interface Registration {
  getName(): string;
  getType(): string;
  getProtect(): boolean;
  getPropertydependenciesMap(): { entries(): Iterable<[string, { getUrnsList(): string[] }]> };
}

const registrations = new Map<string, Registration>();
const keyOf = (type: string, name: string) => `${type}::${name}`;

beforeAll(() => {
  // The SDK keeps a stack trace of each promise; Jest maps every line of them, which takes most of the time.
  Error.stackTraceLimit = 0;
  const { registerResource } = MockMonitor.prototype;
  MockMonitor.prototype.registerResource = function (
    this: MockMonitor,
    request: Registration,
    answer: unknown,
  ) {
    registrations.set(keyOf(request.getType(), request.getName()), request);
    return registerResource.call(this, request, answer as never);
  } as typeof registerResource;
});

/** The program of these settings, as the policies get it: inputs and the outputs that AWS would compute. */
async function programOf(stack: string, raw: Record<string, string>): Promise<Made[]> {
  registrations.clear();
  const resources = await recording(stack);
  const settings = parseSettings(raw, stack) as AwsSettings;
  const release = { hash: "5".repeat(64), archive: "/etc/hostname" };
  const prepared = await prepareAwsEdge(settings, release);
  new AwsEdge(stack, { settings, ...prepared, region: "us-east-1" });
  await settled();
  return resources.map(({ type, name, state, id }) => {
    const registration = registrations.get(keyOf(type, name));
    const from = [...(registration?.getPropertydependenciesMap().entries() ?? [])].map(
      ([property, urns]) =>
        [property, urns.getUrnsList().map((urn) => urn.split("::").at(-1) ?? "")] as const,
    );
    // Through JSON, as between engine and pack: what a program left undefined is not there.
    const props = JSON.parse(JSON.stringify({ ...state, id }));
    return {
      type,
      name,
      props,
      protect: registration?.getProtect() === true,
      from: Object.fromEntries(from),
    };
  });
}

/**
 * The same in its first preview, where the outputs of AWS and all values made from them are unknown.
 * @param made resources with mocked ids that occur in no other text
 */
function firstPreview(made: Made[]): Made[] {
  const given = made.flatMap(({ props }) => [props.id, props.arn]).filter((one) => typeof one === "string");
  const hide = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") {
      return key === "userDataBase64" || given.some((id) => value.includes(id)) ? UNKNOWN : value;
    }
    if (Array.isArray(value)) return value.map((one) => hide(one));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hide(one, name)]));
  };
  return made.map((one) => ({ ...one, props: hide(one.props) as Made["props"] }));
}

const base = { target: "aws", domain: "mcp.example.com", workspace: "https://git.example.com/tools.git" };

const optional = (key: string, value: fc.Arbitrary<string>) =>
  fc.option(
    value.map((text) => ({ [key]: text })),
    { nil: {} },
  );
const oneOf = (...texts: string[]) => fc.constantFrom(...texts);

/** Settings of every kind that a stack file may have, except those that a policy refuses. */
const settingsOf = (environment: "dev" | "staging" | "prod") =>
  fc
    .tuple(
      optional("machines", fc.integer({ min: 1, max: 3 }).map(String)),
      fc.tuple(fc.constantFrom(...FAMILIES), fc.constantFrom(...SIZES[environment])).map(([family, size]) => {
        const instanceType = `${family}.${size}`;
        return { instanceType, architecture: architectureOf(instanceType) };
      }),
      optional("image", oneOf("keep", "roll", "ami-0123456789abcdef0")),
      optional("rootVolumeSize", fc.integer({ min: 8, max: 1024 }).map(String)),
      optional("dataVolumeSize", fc.integer({ min: 1, max: 16_384 }).map(String)),
      fc.option(
        fc.constant({
          vpcId: "vpc-0123456789abcdef0",
          subnetIds: '["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]',
        }),
        { nil: {} },
      ),
      optional(
        "allowedCidrs",
        fc
          .uniqueArray(oneOf("0.0.0.0/0", "::/0", "203.0.113.0/24", "2001:db8::/32"), { minLength: 1 })
          .map((cidrs) => JSON.stringify(cidrs)),
      ),
      fc.oneof(
        fc.constant({}),
        fc.constant({ zone: "example.com" }),
        fc.constant({ zone: "mcp.example.com", hostedZone: "create" }),
      ),
      optional("acme", oneOf("letsencrypt", "letsencrypt-staging", "https://ca.example.com/acme/directory")),
      optional("alarms", oneOf("basic", "full")),
      optional("alarmEmail", fc.constant("ops@example.com")),
      optional("logs", oneOf("none", "cloudwatch")),
      optional("shell", oneOf("endpoint", "none")),
      optional("tags", oneOf('{"Team":"edge"}', '{"Team":"edge","CostCentre":42}', '{"Owner":"other"}')),
      optional("protect", environment === "prod" ? fc.constant("true") : oneOf("true", "false")),
    )
    .map((parts) => Object.assign({ ...base }, ...parts))
    .map((raw: Record<string, string>) => {
      const own = "https://ca.example.com/acme/directory";
      // Several machines share no certificate of a public authority yet; of an unknown authority nobody knows the CAA record.
      const acme = Number(raw.machines ?? 1) > 1 ? own : raw.acme;
      return acme === own ? { ...raw, acme, caaIssuer: "ca.example.com" } : raw;
    });

const anySecret = fc
  .array(fc.constantFrom(..."abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789"), {
    minLength: 12,
    maxLength: 40,
  })
  .map((letters) => letters.join(""));

const stacks = fc.constantFrom(
  ["dev", "dev"],
  ["ada", "dev"],
  ["staging", "staging"],
  ["prod", "prod"],
  ["eu", "prod"],
);

const programs = stacks.chain(([stack = "", environment = ""]) =>
  fc.record({
    stack: fc.constant(stack),
    raw: settingsOf(environment as "dev" | "staging" | "prod"),
    environment: fc.constant({ environment }),
    secrets: fc.option(
      anySecret.map((secret) => ({ secrets: JSON.stringify({ API_KEY: secret }) })),
      { nil: {} },
    ),
  }),
);

test("the program of a full stack passes, and settings that break a policy are found", async () => {
  const inOrder = await programOf("prod", {
    ...base,
    zone: "example.com",
    alarms: "full",
    logs: "cloudwatch",
  });
  expect(inOrder.length).toBeGreaterThan(60);
  expect(await check(inOrder)).toEqual([]);
  // In a first preview, only policies that need ARNs or ids wait for the update.
  const waiting = (await check(firstPreview(inOrder))).map(({ policy }) => policy);
  expect([...new Set(waiting)].sort()).toEqual(
    // `tags`: one tag of a machine is the bucket's name.
    [
      "no-star-action",
      "no-star-write",
      "private-bucket",
      "tags",
      "user-data-secrets",
      "user-data-size",
    ].sort(),
  );
  const tagged = inOrder.filter(({ props }) => props.tags).map(({ type }) => type);
  const checked = [...TAGGED, "aws:s3/bucketObjectv2:BucketObjectv2"];
  expect(tagged.filter((type) => !checked.includes(type))).toEqual([]);
  const policiesBroken = async (raw: Record<string, string>) => {
    const found = await check(await programOf("prod", { ...base, ...raw }));
    return [...new Set(found.map(({ policy, kind }) => `${policy} ${kind}`))];
  };
  expect(await policiesBroken({ protect: "false" })).toEqual(["prod-protected violation"]);
  expect(await policiesBroken({ instanceType: "t4g.nano" })).toEqual(["instance-types violation"]);
  expect(await policiesBroken({ environment: "dev", protect: "true" })).toEqual(["tags violation"]);
});

test("the program of an edge that forwards packets passes, also in its first preview, and its changes do not", async () => {
  const settings = { ...base, zone: "example.com", alarms: "full", edge: "passthrough" };
  const made = await programOf("prod", settings);
  expect(await check(made)).toEqual([]);
  const early = await check(firstPreview(made));
  expect(early.filter(({ kind }) => kind === "violation")).toEqual([]);
  const change = (name: string, props: Record<string, unknown>) =>
    made.map((one) => (one.name === name ? { ...one, props: { ...one.props, ...props } } : one));
  const policyOf = async (changed: Made[]) => [
    ...new Set((await check(changed)).map(({ policy }) => policy)),
  ];
  const broken = [
    change("prod-interface", { sourceDestCheck: true }),
    change("prod-origin-interface", { sourceDestCheck: false }),
    change("prod-origin-subnet", { mapPublicIpOnLaunch: true }),
    made.filter(({ name }) => name !== "prod-origin-route-ipv6"),
    change("prod-role-policy", {
      policy: made.find(({ name }) => name === "prod-orig-policy")?.props.policy,
    }),
  ];
  expect(await Promise.all(broken.map(policyOf))).toEqual([
    ["forwarding-edge"],
    // EC2 would now let the origin forward too.
    ["forwarding-edge", "edge-without-secrets"],
    ["hidden-origin"],
    ["hidden-origin"],
    ["edge-without-secrets"],
  ]);
});

test("the program of any other settings passes every policy", async () => {
  await fc.assert(
    fc.asyncProperty(programs, async ({ stack, raw, environment, secrets }) => {
      const all: Record<string, string> = { ...raw, ...environment, ...secrets };
      const made = await programOf(stack, all);
      const config = Object.fromEntries(
        Object.entries(all).map(([key, value]) => [`mcp-edge:${key}`, value]),
      );
      const context = contextOf({ PULUMI_STACK: stack, PULUMI_CONFIG: JSON.stringify(config) });
      expect(await check(made, context)).toEqual([]);
      const early = await check(firstPreview(made), context);
      expect(early.filter(({ kind }) => kind === "violation")).toEqual([]);
    }),
    { numRuns: 30 },
  );
});
