import { beforeAll, describe, expect, test } from "@jest/globals";
import { Program } from "./program.ts";

// biome-ignore lint/suspicious/noExplicitAny: inputs are read as the test expects them
type Inputs = any;

let program: Program;
let terminating: Program;

beforeAll(async () => {
  const raw = { zone: "example.com", secrets: '{"API_KEY":"quite-secret"}', backups: "7" };
  terminating = await Program.run(raw);
  program = await Program.run({ ...raw, edge: "passthrough" });
});

/** The inputs of one resource by its name. */
const named = (type: string, name: string): Inputs => {
  const found = program.all(type).find((one) => one.name === name);
  if (!found) throw new Error(`no ${type} ${name} among ${program.all(type).map((one) => one.name)}`);
  return { ...found.inputs, id: found.id };
};
/** What a command waits for. */
const waitOf = (command: string): Inputs =>
  program.resources
    .filter(({ name }) => name === command)
    .map(({ inputs }) => JSON.parse((inputs as Inputs).environment.MCP_EDGE_WAIT))[0];
const machine = (name: string) => named("ec2/instance:Instance", name);
const portOf = (name: string) => named("ec2/networkInterface:NetworkInterface", name);

describe("an edge that forwards packets", () => {
  test("has the public address, and is no source or destination of what it forwards", () => {
    const edge = portOf("prod-interface");
    expect(edge.sourceDestCheck).toBe(false);
    expect(program.one("ec2/eipAssociation:EipAssociation").networkInterfaceId).toBe(edge.id);
    expect(machine("prod-machine").primaryNetworkInterface.networkInterfaceId).toBe(edge.id);
  });

  test("has no data volume, and neither a secret nor the right to read one", () => {
    const [edge = "", origin = ""] = program.documents();
    expect(edge).toContain("DATA_VOLUME=''\\nFORWARDS='yes'");
    expect(origin).not.toContain("FORWARDS=");
    const policies = program
      .all("iam/rolePolicy:RolePolicy")
      .map(({ name, inputs }) => [name, inputs.policy]);
    const policy = Object.fromEntries(policies);
    expect(policy["prod-role-policy"]).not.toMatch(/ssm:|releases|workspaces/);
    expect(policy["prod-role-policy"]).toMatch(/desired\.json.*files\/\*/);
    expect(policy["prod-orig-policy"]).toMatch(/releases\/\*.*ssm:GetParametersByPath/);
    expect(machine("prod-machine").iamInstanceProfile).not.toBe(
      machine("prod-origin-machine").iamInstanceProfile,
    );
  });

  test("gets files of its own, which name the addresses of the origin", async () => {
    const objects = program.all("s3/bucketObjectv2:BucketObjectv2");
    const wanted = objects.find(({ inputs }) => inputs.key === "desired.json")?.inputs.content;
    const { files, edgeFiles } = JSON.parse(String(wanted));
    expect(edgeFiles).toMatch(/^[0-9a-f]{64}$/);
    expect(edgeFiles).not.toBe(files);
    const edge = objects.find(({ name }) => name.includes("-edge-files-"));
    expect(edge?.inputs.key).toBe(`files/files-${edgeFiles}.tar`);
    // The name does not depend on the addresses: a first preview does not know them.
    expect(edge?.name).not.toContain(edgeFiles.slice(0, 12));
  });

  test("accepts everything that the origin sends, and from others what every edge accepts", () => {
    const group = portOf("prod-interface").securityGroups[0];
    const rules = program
      .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .map(({ inputs }) => inputs as Inputs)
      .filter(({ securityGroupId }) => securityGroupId === group);
    const ofGroups = rules.filter(({ referencedSecurityGroupId }) => referencedSecurityGroupId);
    expect(
      ofGroups.map(({ ipProtocol, referencedSecurityGroupId: from }) => [
        ipProtocol,
        from === portOf("prod-origin-interface").securityGroups[0],
      ]),
    ).toEqual(expect.arrayContaining([["-1", true]]));
    expect(rules.filter(({ cidrIpv4, cidrIpv6 }) => cidrIpv4 || cidrIpv6)).toHaveLength(
      terminating
        .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        .filter(({ inputs }) => inputs.cidrIpv4 || inputs.cidrIpv6).length,
    );
  });
});

describe("the origin behind it", () => {
  test("is in a private subnet, whose default routes lead to the edge's interface", () => {
    const subnet = portOf("prod-origin-interface").subnetId;
    const association = program
      .all("ec2/routeTableAssociation:RouteTableAssociation")
      .find(({ inputs }) => inputs.subnetId === subnet);
    const routes = program
      .all("ec2/route:Route")
      .map(({ inputs }) => inputs as Inputs)
      .filter(({ routeTableId }) => routeTableId === association?.inputs.routeTableId);
    expect(routes.map((one) => one.destinationCidrBlock ?? one.destinationIpv6CidrBlock).sort()).toEqual([
      "0.0.0.0/0",
      "::/0",
    ]);
    for (const { networkInterfaceId, gatewayId } of routes)
      expect([networkInterfaceId, gatewayId]).toEqual([portOf("prod-interface").id, undefined]);
    const own = named("ec2/subnet:Subnet", "prod-origin-subnet");
    expect(own).toMatchObject({ cidrBlock: "10.20.128.0/24", ipv6CidrBlock: "2600:1f18:1234:5680::/64" });
    expect(own.availabilityZone).toBe(named("ec2/subnet:Subnet", "prod-subnet-a").availabilityZone);
  });

  test("gets no packet from the internet gateway that has not passed the edge", () => {
    const gateway = program
      .all("ec2/routeTableAssociation:RouteTableAssociation")
      .find(({ inputs }) => inputs.gatewayId);
    const [route] = program
      .all("ec2/route:Route")
      .filter(({ inputs }) => inputs.routeTableId === gateway?.inputs.routeTableId);
    expect(route?.inputs).toMatchObject({
      destinationIpv6CidrBlock: "2600:1f18:1234:5680::/64",
      networkInterfaceId: portOf("prod-interface").id,
    });
  });

  test("accepts what the edge accepts, since it sees the addresses of clients", () => {
    const open = (group: string) =>
      program
        .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        .map(({ inputs }) => inputs as Inputs)
        .filter(
          ({ securityGroupId, cidrIpv4, cidrIpv6 }) => securityGroupId === group && (cidrIpv4 || cidrIpv6),
        )
        .map(
          ({ ipProtocol, fromPort, cidrIpv4, cidrIpv6 }) =>
            `${ipProtocol} ${fromPort} ${cidrIpv4 ?? cidrIpv6}`,
        )
        .sort();
    expect(open(portOf("prod-origin-interface").securityGroups[0])).toEqual(
      open(portOf("prod-interface").securityGroups[0]),
    );
  });

  test("boots after the edge forwards", () => {
    const origin = program.all("ec2/instance:Instance").find(({ name }) => name === "prod-origin-machine");
    expect(origin?.options.dependencies.join()).toMatch(/::prod-edge-converged/);
    expect(origin?.options.dependencies.join()).toMatch(/::prod-origin-route-ipv4/);
    const asked = waitOf("prod-edge-converged");
    expect(asked).toMatchObject({ instances: [machine("prod-machine").id] });
    expect(asked.certificate).toBeUndefined();
  });

  test("has the releases, the certificate and the data of the stack, and the same IMDSv2 with one hop", async () => {
    const [edge, origin] = (await program.value(program.edge.machines)) ?? [];
    expect([edge?.kind, edge?.volumeUrn, origin?.kind]).toEqual(["edge", undefined, "origin"]);
    expect(origin?.volumeUrn).toMatch(/::prod-data$/);
    expect(waitOf("prod-converged")).toMatchObject({
      instances: [edge?.instance, origin?.instance],
      certificate: { instances: [origin?.instance], tlsServer: "caddy" },
      addresses: [edge?.ipv4],
    });
    for (const name of ["prod-machine", "prod-origin-machine"])
      expect(machine(name).metadataOptions).toMatchObject({
        httpTokens: "required",
        httpPutResponseHopLimit: 1,
      });
  });

  test("has an alarm on its certificate, and the edge has none on what it does not have", () => {
    const of = (start: string) =>
      program
        .all("cloudwatch/metricAlarm:MetricAlarm")
        .map(({ name }) => name)
        .filter((name) => name.startsWith(start))
        .map((name) => name.slice(start.length))
        .sort();
    const both = ["cpu-credits", "failed-units", "flows", "host", "memory", "patches", "root-disk", "system"];
    expect(of("prod-alarm-")).toEqual([...both, "health"].sort());
    expect(of("prod-origin-alarm-")).toEqual(
      [...both, "certificate", "certificate-ends", "data-disk"].sort(),
    );
  });
});

describe("a stack whose edge changes from one kind to the other", () => {
  /** Type and name: what a URN has apart from the types of the parents, which are the same for these. */
  const kept = (one: Program, type: string) => one.all(type).map(({ name }) => name);

  test("keeps its public addresses, its data volume and its bucket", () => {
    for (const type of ["ec2/eip:Eip", "ebs/volume:Volume", "s3/bucket:Bucket", "ec2/vpc:Vpc"])
      expect([type, kept(program, type)]).toEqual([type, kept(terminating, type)]);
    expect(kept(program, "ec2/networkInterface:NetworkInterface")).toEqual(
      expect.arrayContaining(kept(terminating, "ec2/networkInterface:NetworkInterface")),
    );
  });

  test("moves the volume by one attachment, which is deleted before it is created again", () => {
    const attachments = [program, terminating].map((one) => one.all("ec2/volumeAttachment:VolumeAttachment"));
    for (const [attachment, ...others] of attachments) {
      expect(others).toEqual([]);
      expect([attachment?.name, attachment?.options.deleteBeforeReplace]).toEqual([
        "prod-data-of-machine",
        true,
      ]);
    }
    const triggers = [program, terminating].map(
      (one) =>
        one.all("ec2/instance:Instance").find(({ name }) => name === "prod-machine")?.options
          .replacementTrigger,
    );
    expect(new Set(triggers).size).toBe(2);
  });
});
