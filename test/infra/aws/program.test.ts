import { beforeAll, describe, expect, test } from "@jest/globals";
import { USER_DATA_LIMIT } from "../../../cloud-init/user-data.ts";
import { Program, RELEASE } from "./program.ts";

// biome-ignore lint/suspicious/noExplicitAny: inputs are read as the test expects them
type Inputs = any;

/** The environment of the wait. */
const waitOf = (program: Program): Inputs =>
  program.resources
    .filter(({ name }) => name === "prod-converged")
    .map(({ inputs }) => inputs.environment)[0];

describe("a prod stack with a zone", () => {
  let prod: Program;
  beforeAll(async () => {
    prod = await Program.run({
      zone: "example.com",
      logs: "cloudwatch",
      alarmEmail: "ops@example.com",
      secrets: '{"API_KEY":"quite-secret","OTHER":"also-secret"}',
      tags: '{"team":"core","cost":42,"owner":"ada","app":"mcp","unit":"x","area":"y"}',
    });
  });

  /** Types that can have ten tags only. They have just the program's five. */
  const TEN = /^aws:(s3\/bucketObjectv2|route53\/(healthCheck|zone)):/;

  test("every resource has a parent, a unique name, the program's tags if it can have tags, and the user's tags if they fit", () => {
    const names = prod.resources.map(({ type, name }) => `${type} ${name}`);
    expect(names).toEqual([...new Set(names)]);
    for (const { type, name, options } of prod.resources) {
      if (type === "mcp-edge:aws:Edge") continue;
      expect([name, options.parent]).toEqual([name, expect.stringContaining("mcp-edge:aws:")]);
    }
    const programTags = {
      Project: "mcp-edge",
      Stack: "prod",
      Environment: "prod",
      ManagedBy: "pulumi",
    };
    const tagged = prod.resources.filter(({ inputs }) => "tags" in inputs);
    expect(tagged.length).toBeGreaterThan(40);
    for (const { name, type, inputs } of tagged) {
      const tags = inputs.tags as Record<string, string>;
      expect([name, tags]).toEqual([name, expect.objectContaining(programTags)]);
      expect([name, tags.team]).toEqual([name, TEN.test(type) ? undefined : "core"]);
      expect(Object.keys(tags).length).toBeLessThanOrEqual(TEN.test(type) ? 5 : 12);
    }
    expect(tagged.filter(({ type }) => TEN.test(type)).length).toBeGreaterThan(3);
  });

  test("the network has two public subnets in two zones, both families, and a default group that allows nothing", () => {
    expect(prod.one("ec2/vpc:Vpc")).toMatchObject({ assignGeneratedIpv6CidrBlock: true });
    const subnets = prod.all("ec2/subnet:Subnet").map(({ inputs }) => inputs as Inputs);
    expect(subnets.map(({ cidrBlock }) => cidrBlock)).toEqual(["10.20.0.0/24", "10.20.1.0/24"]);
    expect(subnets.map(({ ipv6CidrBlock }) => ipv6CidrBlock)).toEqual([
      "2600:1f18:1234:5600::/64",
      "2600:1f18:1234:5601::/64",
    ]);
    expect(new Set(subnets.map(({ availabilityZone }) => availabilityZone)).size).toBe(2);
    const routes = prod.all("ec2/route:Route").map(({ inputs }) => inputs as Inputs);
    expect(
      routes.map((route) => route.destinationCidrBlock ?? route.destinationIpv6CidrBlock).sort(),
    ).toEqual(["0.0.0.0/0", "::/0"]);
    expect(prod.one("ec2/defaultSecurityGroup:DefaultSecurityGroup")).toMatchObject({
      ingress: [],
      egress: [],
    });
  });

  test("the machine requires IMDSv2 with one hop and has encrypted volumes, and its address and data volume are protected", () => {
    const machine = prod.one("ec2/instance:Instance");
    expect(machine).toMatchObject({
      ami: "ami-0123456789abcdef0",
      instanceType: "t4g.small",
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true, volumeType: "gp3" },
      disableApiTermination: true,
      userDataReplaceOnChange: true,
    });
    expect(machine.userData).toBeUndefined();
    expect(prod.one("ebs/volume:Volume")).toMatchObject({
      encrypted: true,
      type: "gp3",
      finalSnapshot: true,
    });
    const guarded = prod.resources.filter(({ options }) => options.protect).map(({ name }) => name);
    expect(guarded.sort()).toEqual(["prod-address", "prod-data", "prod-interface"]);
    const association = prod.one("ec2/eipAssociation:EipAssociation");
    expect(association.networkInterfaceId).toBe(machine.primaryNetworkInterface.networkInterfaceId);
  });

  test("neither a newer image nor another user-data replaces the machine", () => {
    const [machine] = prod.all("ec2/instance:Instance");
    expect(machine?.options.ignoreChanges.sort()).toEqual(["ami", "userDataBase64"]);
    expect(machine?.options.deleteBeforeReplace).toBe(true);
  });

  test("user-data is within the limit, and contains no secret and no credential", () => {
    const { userDataBase64 } = prod.one("ec2/instance:Instance");
    expect(Buffer.from(userDataBase64, "base64").length).toBeLessThan(USER_DATA_LIMIT / 2);
    const [document = ""] = prod.documents();
    expect(document).toMatch(/^#cloud-config\n\{/);
    for (const secret of ["quite-secret", "also-secret", "API_KEY", "PRIVATE KEY", "AKIA"])
      expect(document).not.toContain(secret);
  });

  test("secrets are only in SecureString parameters under the stack's own path", () => {
    const parameters = prod.all("ssm/parameter:Parameter").map(({ inputs }) => inputs as Inputs);
    expect(parameters.map(({ name, type }) => [name, type])).toEqual([
      ["/mcp-edge/prod/env/API_KEY", "SecureString"],
      ["/mcp-edge/prod/env/OTHER", "SecureString"],
    ]);
    const others = prod.resources.filter(({ type }) => !type.includes("ssm/parameter"));
    expect(JSON.stringify(others.map(({ inputs }) => inputs))).not.toMatch(/quite-secret|also-secret/);
    for (const { options } of prod.all("ssm/parameter:Parameter")) expect(options.secrets).toEqual(["value"]);
  });

  test("the role can read its deployment and its own parameters, and write its status, metrics and logs", () => {
    const [role] = prod.all("iam/rolePolicy:RolePolicy").filter(({ name }) => name === "prod-role-policy");
    const policy = JSON.parse(String(role?.inputs.policy)) as { Statement: Inputs[] };
    const bucket = "arn:aws:s3:::prod-artifacts-0a1b2c3";
    expect(policy.Statement.map(({ Sid }) => Sid)).toEqual(["Pull", "Status", "Secrets", "Metrics", "Logs"]);
    for (const { Action, Resource, Condition } of policy.Statement) {
      for (const action of [Action].flat()) expect(action).not.toContain("*");
      if (Resource === "*")
        expect(Condition).toEqual({ StringEquals: { "cloudwatch:namespace": "mcp-edge" } });
    }
    expect(policy.Statement[0].Resource).toEqual(
      ["desired.json", "releases/*", "files/*", "workspaces/*"].map((key) => `${bucket}/${key}`),
    );
    expect(policy.Statement[2].Resource).toContain(
      "arn:aws:ssm:eu-central-1:123456789012:parameter/mcp-edge/prod/env/*",
    );
  });

  test("the bucket is private, versioned, encrypted, TLS only, and old versions expire", () => {
    expect(prod.one("s3/bucket:Bucket")).toMatchObject({
      forceDestroy: false,
    });
    expect(prod.one("s3/bucketVersioning:BucketVersioning").versioningConfiguration.status).toBe("Enabled");
    expect(Object.values(prod.one("s3/bucketPublicAccessBlock:BucketPublicAccessBlock"))).toEqual(
      expect.arrayContaining([true, true, true, true]),
    );
    const policy = JSON.parse(prod.one("s3/bucketPolicy:BucketPolicy").policy);
    expect(policy.Statement[0]).toMatchObject({
      Effect: "Deny",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
    const [rule] = prod.one("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").rules;
    expect(rule.noncurrentVersionExpiration.noncurrentDays).toBe(30);
    expect(rule.expiration.days).toBeUndefined(); // the current versions never expire
  });

  test("the zone has address records of both families, the HTTPS record and a CAA record for the configured authority", () => {
    const records = prod.all("route53/record:Record").map(({ inputs }) => inputs as Inputs);
    expect(Object.fromEntries(records.map(({ type, records }) => [type, records]))).toMatchObject({
      A: [expect.stringMatching(/^198\.51\.100\./)],
      AAAA: [expect.stringMatching(/^2600:/)],
      HTTPS: ['1 . alpn="h3,h2"'],
      CAA: expect.arrayContaining(['0 issue "letsencrypt.org; validationmethods=http-01"']),
    });
    for (const { zoneId, ttl, name } of records)
      expect([zoneId, ttl, name]).toEqual(["Z999", 300, "mcp.example.com"]);
  });

  test("every alarm notifies a topic of its own region, and an alarm recovers a broken host", async () => {
    const alarms = prod.all("cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs as Inputs);
    const names = alarms.map(({ tags }) => tags.Name.replace("prod-", "")).sort();
    expect(names).toEqual([
      "certificate",
      "certificate-ends",
      "cpu-credits",
      "data-disk",
      "failed-units",
      "flows",
      "health",
      "host",
      "memory",
      "patches",
      "root-disk",
      "system",
    ]);
    for (const { tags, region = "eu-central-1", alarmActions } of alarms)
      expect([tags.Name, alarmActions.at(-1)]).toEqual([
        tags.Name,
        expect.stringContaining(`arn:aws:sns:${region}:`),
      ]);
    const host = alarms.find(({ tags }) => tags.Name.endsWith("-host"));
    expect(host.alarmActions[0]).toBe("arn:aws:automate:eu-central-1:ec2:recover");
    expect(prod.all("sns/topicSubscription:TopicSubscription")).toHaveLength(2);
    expect(prod.one("route53/healthCheck:HealthCheck")).toMatchObject({
      type: "HTTPS",
      resourcePath: "/readyz",
    });
  });

  test("desired.json names the uploaded objects, and the wait is for its generation on this machine", async () => {
    const objects = prod.all("s3/bucketObjectv2:BucketObjectv2").map(({ inputs }) => inputs as Inputs);
    const desired = JSON.parse(objects.find(({ key }) => key === "desired.json").content);
    expect(objects.map(({ key }) => key).sort()).toEqual(
      ["desired.json", `files/files-${desired.files}.tar`, `releases/${RELEASE.hash}.tar.zst`].sort(),
    );
    const environment = waitOf(prod);
    const machine = await prod.value(prod.edge.machines);
    expect(JSON.parse(environment.MCP_EDGE_WAIT)).toMatchObject({
      generation: desired.generation,
      bucket: "prod-artifacts-0a1b2c3",
      tags: { Project: "mcp-edge", Name: "desired" },
      addresses: [expect.stringMatching(/^198\.51\.100\./)],
      certificate: {
        stack: "prod",
        domain: "mcp.example.com",
        instances: [machine[0]?.instance],
        records: "lookup",
      },
    });
    expect(JSON.parse(environment.MCP_EDGE_AWS)).toEqual({ region: "eu-central-1" });
  });

  test("the outputs have the URL, the shell command, the records and the monthly cost", async () => {
    expect(prod.edge.url).toBe("https://mcp.example.com/mcp");
    expect(prod.edge.shell).toBe("npm run mcp-edge -- shell --stack prod");
    expect(await prod.value(prod.edge.records)).toContain('mcp.example.com. 300 IN HTTPS 1 . alpn="h3,h2"');
    expect(prod.edge.monthlyCost.total).toBeGreaterThan(15);
  });
});

describe("settings", () => {
  test("without a zone, the health check is the only resource of Route 53, and the records are printed", async () => {
    const program = await Program.run({}, "staging");
    expect(program.all("route53/record:Record")).toEqual([]);
    const records = await program.value(program.edge.records);
    expect(records.map((line) => line.split(" ")[3])).toEqual(["A", "AAAA", "HTTPS", "CAA", "CAA", "CAA"]);
    // The records are printed as soon as the addresses are known, before the machines exist.
    expect(program.messages).toEqual([
      `Create these records in the zone of mcp.example.com:\n${records.join("\n")}`,
    ]);
  });

  test("a created zone has its name servers printed", async () => {
    const program = await Program.run({ zone: "mcp.example.com", hostedZone: "create" });
    expect(program.one("route53/zone:Zone")).toMatchObject({ name: "mcp.example.com" });
    expect(program.edge.nameServers && (await program.value(program.edge.nameServers))).toHaveLength(2);
    expect(program.messages.join()).toContain(
      "Name servers of the new zone mcp.example.com, for its registrar: ns-1.example.net",
    );
  });

  test("dev is unprotected and has the basic alarms", async () => {
    const dev = await Program.run({}, "dev");
    expect(dev.resources.filter(({ options }) => options.protect)).toEqual([]);
    expect(dev.one("ec2/instance:Instance")).toMatchObject({ disableApiTermination: false });
    expect(
      dev
        .all("cloudwatch/metricAlarm:MetricAlarm")
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["dev-alarm-host", "dev-alarm-system"]);
    expect(dev.one("iam/rolePolicy:RolePolicy").policy).not.toContain("cloudwatch");
  });

  test("only another processor or a snapshot replaces the machine", async () => {
    const trigger = async (raw: Record<string, string>) => {
      const program = await Program.run(raw);
      const [machine] = program.all("ec2/instance:Instance");
      expect(machine?.options.ignoreChanges.toSorted()).toEqual(["ami", "userDataBase64"]);
      return machine?.options.replacementTrigger;
    };
    const keep = await trigger({});
    expect(await trigger({ rateLimit: "60", instanceType: "t4g.large" })).toBe(keep);
    const triggers = [keep];
    for (const raw of [{ architecture: "amd64" }, { snapshotId: "snap-0123456789abcdef0" }])
      triggers.push(await trigger(raw as Record<string, string>));
    expect(new Set(triggers).size).toBe(3);
  });

  test("the last requested snapshot is kept when the setting is removed", async () => {
    const keepers = async (raw: Record<string, string>) =>
      (await Program.run(raw)).resources
        .filter(({ name }) => name.endsWith("-asked"))
        .map(({ name, inputs, options }) => [name, inputs.environment, options.ignoreChanges]);
    expect(await keepers({})).toEqual([
      ["prod-machine-asked", { ASKED: "keep" }, ["environment"]],
      ["prod-snapshot-asked", { ASKED: "" }, ["environment"]],
    ]);
    expect(await keepers({ snapshotId: "snap-0123456789abcdef0" })).toEqual([
      ["prod-machine-asked", { ASKED: "keep" }, ["environment"]],
      ["prod-snapshot-asked", { ASKED: "snap-0123456789abcdef0" }, []],
    ]);
  });

  test("the data volume is created from a snapshot, which can be removed from the settings later", async () => {
    const program = await Program.run({ snapshotId: "snap-0123456789abcdef0" });
    const [volume] = program.all("ebs/volume:Volume");
    expect(volume?.inputs.snapshotId).toBe("snap-0123456789abcdef0");
    expect(volume?.options).toMatchObject({ ignoreChanges: ["snapshotId"], protect: true });
  });

  test("AWS_ENDPOINT_URL of the user is not in user-data", async () => {
    process.env.AWS_ENDPOINT_URL = "http://localhost:4566";
    try {
      expect((await Program.run()).documents().join()).not.toContain("4566");
    } finally {
      delete process.env.AWS_ENDPOINT_URL;
    }
  });

  test("every role has the configured permissions boundary", async () => {
    const permissionsBoundary = "arn:aws:iam::123456789012:policy/boundary";
    const program = await Program.run({ permissionsBoundary, backups: "3" });
    for (const { name, inputs } of program.all("iam/role:Role"))
      expect([name, inputs.permissionsBoundary]).toEqual([name, permissionsBoundary]);
  });

  test("a role that can only make snapshots makes one of each data volume every night", async () => {
    const program = await Program.run({ backups: "14" }, "dev");
    const [volume] = program.all("ebs/volume:Volume");
    const { policyDetails } = program.one("dlm/lifecyclePolicy:LifecyclePolicy");
    expect(volume?.inputs.tags).toMatchObject({ Backups: "dev" });
    expect(policyDetails).toMatchObject({
      resourceTypes: ["VOLUME"],
      targetTags: { Backups: "dev" },
      schedules: [
        { createRule: { interval: 24, intervalUnit: "HOURS" }, retainRule: { count: 14 }, copyTags: true },
      ],
    });
    // No other resource has the tag, in particular not the machine's root volume.
    const tagged = program.resources.filter(({ inputs }) =>
      JSON.stringify(inputs).includes('"Backups":"dev"'),
    );
    expect(tagged.map(({ name }) => name).sort()).toEqual(["dev-backups", "dev-data"]);
    const [policy] = program.all("iam/rolePolicy:RolePolicy").filter(({ name }) => name.includes("-dlm"));
    for (const { Action, Resource, Condition } of JSON.parse(String(policy?.inputs.policy)).Statement) {
      if (Resource === "*") expect(Action.every((action: string) => /^ec2:Describe/.test(action))).toBe(true);
      if (/Delete|volume/.test(`${Action} ${Resource}`))
        expect(Condition.StringEquals["aws:ResourceTag/Stack"]).toBe("dev");
    }
    expect((await Program.run({}, "dev")).all("dlm/lifecyclePolicy:LifecyclePolicy")).toEqual([]);
  });

  test("a token domain has the same records as the domain", async () => {
    const raw = { zone: "example.com", tokenDomain: "token.example.com" };
    const all = (await Program.run(raw)).all("route53/record:Record").map(({ inputs }) => inputs as Inputs);
    const of = (host: string) =>
      all.filter(({ name }) => name === host).map(({ type, records }) => [type, records]);
    expect(of("token.example.com")).toEqual(of("mcp.example.com"));
    expect(all).toHaveLength(8);
  });

  test("the CAA record for another ACME server has caaIssuer", async () => {
    const types = async (raw: Record<string, string>) => {
      const all = (await Program.run({ zone: "example.com", ...raw })).all("route53/record:Record");
      return all.map(({ inputs }) => [inputs.type, (inputs.records as string[])[0]]);
    };
    const acme = "https://acme.example.com/dir";
    expect(await types({ acme, caaIssuer: "ca.example.com" })).toContainEqual([
      "CAA",
      '0 issue "ca.example.com"',
    ]);
  });

  test("with dns-01 the machines may make their challenge in the zone, CAA allows only that, and port 80 is as closed as 443", async () => {
    const program = await Program.run({
      ...{ zone: "example.com", acmeChallenge: "dns-01", machines: "2", allowedCidrs: '["203.0.113.0/24"]' },
    });
    const caa = program.all("route53/record:Record").find(({ inputs }) => inputs.type === "CAA");
    expect(caa?.inputs.records).toContain('0 issue "letsencrypt.org; validationmethods=dns-01"');
    const statements = program
      .all("iam/rolePolicy:RolePolicy")
      .flatMap(({ inputs }) => JSON.parse(String(inputs.policy)).Statement);
    const challenge = statements.find(({ Sid }) => Sid === "Challenge");
    const { zone } = JSON.parse(
      String(
        program.all("s3/bucketObjectv2:BucketObjectv2").find(({ inputs }) => inputs.key === "desired.json")
          ?.inputs.content,
      ),
    );
    expect(challenge.Resource).toBe(`arn:aws:route53:::hostedzone/${zone}`);
    const ports = program
      .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .map(({ inputs }) => `${inputs.fromPort} ${inputs.cidrIpv4}`);
    expect(ports).toContain("80 203.0.113.0/24");
    expect(ports).not.toContain("80 0.0.0.0/0");
  });

  test.each([
    [{ image: "roll" }, ["userDataBase64"], "ami-0123456789abcdef0"],
    [{ image: "ami-0aaaaaaaaaaaaaaaa" }, ["userDataBase64"], "ami-0aaaaaaaaaaaaaaaa"],
  ])("%j", async (raw, ignored, ami) => {
    const program = await Program.run(raw);
    const [machine] = program.all("ec2/instance:Instance");
    expect([machine?.options.ignoreChanges, machine?.inputs.ami]).toEqual([ignored, ami]);
  });

  test("allowedCidrs restricts 443 on TCP and UDP, keeps 80 open for validation, and removes the health check", async () => {
    const program = await Program.run({ allowedCidrs: '["203.0.113.0/24","2001:db8::/32"]' });
    const rules = program
      .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .map(({ inputs }) => inputs);
    const open = rules
      .filter((rule) => "cidrIpv4" in rule || "cidrIpv6" in rule)
      .map((rule) => `${rule.ipProtocol} ${rule.fromPort} ${rule.cidrIpv4 ?? rule.cidrIpv6}`);
    expect(open.sort()).toEqual(
      [
        "tcp 443 203.0.113.0/24",
        "tcp 443 2001:db8::/32",
        "udp 443 203.0.113.0/24",
        "udp 443 2001:db8::/32",
        "tcp 80 0.0.0.0/0",
        "tcp 80 ::/0",
        "icmp 3 0.0.0.0/0",
        "icmpv6 2 ::/0",
      ].sort(),
    );
    expect(program.all("route53/healthCheck:HealthCheck")).toEqual([]);
    expect(JSON.parse(waitOf(program).MCP_EDGE_WAIT).addresses).toEqual([]);
    const own = await Program.run({ allowedCidrs: '["10.0.0.0/8"]', acme: "https://acme.example.com/dir" });
    const ports = own
      .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .filter(({ inputs }) => !String(inputs.ipProtocol).startsWith("icmp") && inputs.cidrIpv4);
    expect(ports.map(({ inputs }) => inputs.cidrIpv4)).toEqual(["10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"]);
  });

  test("port 22 is open only to the Instance Connect endpoint's group, and closed without an endpoint", async () => {
    const ssh = (program: Program) =>
      program
        .all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        .filter(({ inputs }) => Number(inputs.fromPort) <= 22 && Number(inputs.toPort) >= 22);
    const [rule] = ssh(await Program.run());
    expect(rule?.inputs).toMatchObject({ referencedSecurityGroupId: expect.stringMatching(/^sg-/) });
    expect(rule?.inputs.cidrIpv4 ?? rule?.inputs.cidrIpv6).toBeUndefined();
    const without = await Program.run({ shell: "none" });
    expect(ssh(without)).toEqual([]);
    expect(without.all("ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint")).toEqual([]);
  });

  test("an existing VPC is used unchanged", async () => {
    const program = await Program.run({
      vpcId: "vpc-0123456789abcdef0",
      subnetIds: '["subnet-0123456789abcdef0"]',
    });
    expect(program.all("ec2/vpc:Vpc")).toEqual([]);
    expect(program.one("ec2/networkInterface:NetworkInterface").subnetId).toBe("subnet-0123456789abcdef0");
    expect(program.one("ebs/volume:Volume").availabilityZone).toBe("us-east-1c");
  });

  test.each([
    ['["subnet-0123456789abcdef4"]', "has no IPv6 range"],
    ['["subnet-0123456789abcdef0","subnet-0123456789abcdef4"]', "subnet-0123456789abcdef4 has no IPv6 range"],
  ])("an existing network is checked before any resource is created: %s", async (subnetIds, problem) => {
    await expect(Program.run({ vpcId: "vpc-0123456789abcdef0", subnetIds })).rejects.toThrow(problem);
    await expect(Program.run({ vpcId: "vpc-0fffffffffffffff0", subnetIds })).rejects.toThrow(
      "is in the VPC vpc-0123456789abcdef0, not in vpc-0fffffffffffffff0",
    );
  });

  test("ten machines have ten volumes and documents and one deployment, and the first keeps its names", async () => {
    const program = await Program.run({
      machines: "10",
      elasticIpQuota: "10",
      acme: "https://acme.example.com/dir",
    });
    expect(program.all("ec2/instance:Instance")).toHaveLength(10);
    expect(new Set(program.documents()).size).toBe(10);
    expect(program.all("ebs/volume:Volume").map(({ name }) => name)).toContain("prod-data");
    const zones = program.all("ebs/volume:Volume").map(({ inputs }) => inputs.availabilityZone);
    expect(new Set(zones).size).toBe(2);
    expect(JSON.parse(waitOf(program).MCP_EDGE_WAIT).certificate.instances).toHaveLength(10);
  });

  test("us-east-1 has one topic", async () => {
    const program = await Program.run({}, "prod", "us-east-1");
    expect(program.all("sns/topic:Topic")).toHaveLength(1);
  });

  test("the wait has its own trigger, so that a rollback waits too", async () => {
    const program = await Program.run();
    const [awaited] = program.resources.filter(({ name }) => name === "prod-awaited");
    expect(awaited?.inputs.create).toBe("date +%s%N");
    expect(awaited?.inputs.environment).toEqual({
      MACHINES: expect.stringMatching(/^t4g\.small arm64 /),
      WAIT: waitOf(program).MCP_EDGE_WAIT,
    });
  });

  test("a changed secret or setting changes the generation, and equal content does not", async () => {
    const generation = async (raw: Record<string, string>) => {
      const program = await Program.run(raw);
      return program.value(program.edge.generation);
    };
    const first = await generation({});
    expect(await generation({})).toBe(first);
    expect(await generation({ secrets: '{"A":"b"}' })).not.toBe(first);
    expect(await generation({ rateLimit: "60" })).not.toBe(first);
  });
});
