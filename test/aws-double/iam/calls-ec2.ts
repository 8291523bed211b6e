import { type Account, arn } from "../kind.ts";
import { hasServiceRole } from "../services/service-roles.ts";
import { object, objects, type Props, same, text, texts } from "../values.ts";
import {
  type Call,
  type Calls,
  call,
  calls,
  globalArn,
  requestTags,
  resourceTags,
  type Subject,
  storedTags,
  tagsIn,
} from "./calls.ts";

/** EC2: each resource of an action is checked by itself, with its own condition keys. */

const VPC = "aws:ec2/vpc:Vpc";
const SUBNET = "aws:ec2/subnet:Subnet";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup";
const GATEWAY = "aws:ec2/internetGateway:InternetGateway";
const TABLE = "aws:ec2/routeTable:RouteTable";
const EIP = "aws:ec2/eip:Eip";
const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
const INSTANCE = "aws:ec2/instance:Instance";
const VOLUME = "aws:ebs/volume:Volume";

/** The type in an ARN by the resource's token. */
const TYPES: Record<string, string> = {
  [VPC]: "vpc",
  [SUBNET]: "subnet",
  [GROUP]: "security-group",
  [DEFAULT_GROUP]: "security-group",
  [GATEWAY]: "internet-gateway",
  [TABLE]: "route-table",
  [EIP]: "elastic-ip",
  [INTERFACE]: "network-interface",
  [INSTANCE]: "instance",
  [VOLUME]: "volume",
};

const ec2 = (aws: Account, type: string, id: string) => arn(aws, "ec2", `${type}/${id}`);

/** An action on an existing resource, with its tags. */
const on = (aws: Account, action: string, token: string, id: string): Call =>
  call(`ec2:${action}`, ec2(aws, TYPES[token] ?? token, id), storedTags(aws.store, token, id));

/** A new resource of this type, with the tags of its creation. */
function born(subject: Subject, action: string, type: string): Call[] {
  const resource = ec2(subject.aws, type, "new");
  const asked = requestTags(tagsIn(subject.inputs));
  const tagging = { ...asked, "ec2:CreateAction": action };
  return [
    call(`ec2:${action}`, resource, asked),
    ...("aws:TagKeys" in asked ? [call("ec2:CreateTags", resource, tagging)] : []),
  ];
}

/** An action on the resource itself, with the tags that it has (or has just got). */
function itself({ aws, id, inputs }: Subject, action: string, token: string): Call {
  const stored = aws.store.get(token, id);
  return call(
    `ec2:${action}`,
    ec2(aws, TYPES[token] ?? token, id || "new"),
    resourceTags(tagsIn(stored?.inputs ?? inputs)),
  );
}

const describe = (...what: string[]) => what.map((one) => call(`ec2:Describe${one}`));

const tagged = (type: string, token: string) => ({
  tag: "ec2:CreateTags",
  untag: "ec2:DeleteTags",
  resource: ({ aws, id }: Subject) => ec2(aws, type, id),
  context: ({ aws, id }: Subject) => storedTags(aws.store, token, id),
});

/** A request that names actions for the inputs that changed. */
const byInput =
  (table: Record<string, string>, token: string) =>
  (subject: Subject, _before: Props, changed: Set<string>): Call[] =>
    Object.entries(table)
      .filter(([key]) => changed.has(key))
      .flatMap(([, actions]) => actions.split(" ").map((action) => itself(subject, action, token)));

const vpc: Calls = {
  make: (s) => [
    ...born(s, "CreateVpc", "vpc"),
    ...(s.inputs.enableDnsHostnames ? [itself(s, "ModifyVpcAttribute", VPC)] : []),
  ],
  read: () => describe("Vpcs", "VpcAttribute", "NetworkAcls", "RouteTables", "SecurityGroups"),
  change: byInput(
    {
      enableDnsHostnames: "ModifyVpcAttribute",
      enableDnsSupport: "ModifyVpcAttribute",
      assignGeneratedIpv6CidrBlock: "AssociateVpcCidrBlock",
    },
    VPC,
  ),
  remove: (s) => [itself(s, "DeleteVpc", VPC)],
  tags: tagged("vpc", VPC),
};

const subnet: Calls = {
  make: (s) => [
    ...born(s, "CreateSubnet", "subnet"),
    on(s.aws, "CreateSubnet", VPC, text(s.inputs, "vpcId")),
  ],
  read: () => describe("Subnets"),
  change: (s, _before, changed) => (changed.size > 0 ? [itself(s, "ModifySubnetAttribute", SUBNET)] : []),
  remove: (s) => [...describe("NetworkInterfaces"), itself(s, "DeleteSubnet", SUBNET)],
  tags: tagged("subnet", SUBNET),
};

const internetGateway: Calls = {
  make: (s) => [
    ...born(s, "CreateInternetGateway", "internet-gateway"),
    itself(s, "AttachInternetGateway", GATEWAY),
    on(s.aws, "AttachInternetGateway", VPC, text(s.inputs, "vpcId")),
  ],
  read: () => describe("InternetGateways"),
  remove: (s) => [
    itself(s, "DetachInternetGateway", GATEWAY),
    on(s.aws, "DetachInternetGateway", VPC, text(s.inputs, "vpcId")),
    itself(s, "DeleteInternetGateway", GATEWAY),
  ],
  tags: tagged("internet-gateway", GATEWAY),
};

const routeTable: Calls = {
  make: (s) => [
    ...born(s, "CreateRouteTable", "route-table"),
    on(s.aws, "CreateRouteTable", VPC, text(s.inputs, "vpcId")),
  ],
  read: () => describe("RouteTables"),
  remove: (s) => [itself(s, "DeleteRouteTable", TABLE)],
  tags: tagged("route-table", TABLE),
};

const inTable = ({ aws, inputs }: Subject, action: string) =>
  on(aws, action, TABLE, text(inputs, "routeTableId"));

const route: Calls = {
  make: (s) => [inTable(s, "CreateRoute")],
  read: () => describe("RouteTables"),
  change: (s) => [inTable(s, "ReplaceRoute")],
  remove: (s) => [inTable(s, "DeleteRoute")],
};

const inSubnet = ({ aws, inputs }: Subject, action: string) =>
  on(aws, action, SUBNET, text(inputs, "subnetId"));

/** The table's subnet, or the internet gateway whose incoming packets it routes. */
const associated = (s: Subject, action: string) =>
  s.inputs.gatewayId === undefined
    ? inSubnet(s, action)
    : on(s.aws, action, GATEWAY, text(s.inputs, "gatewayId"));

const routeTableAssociation: Calls = {
  make: (s) => [inTable(s, "AssociateRouteTable"), associated(s, "AssociateRouteTable")],
  read: () => describe("RouteTables"),
  remove: (s) => [inTable(s, "DisassociateRouteTable"), associated(s, "DisassociateRouteTable")],
};

const VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint";
TYPES[VPC_ENDPOINT] = "vpc-endpoint";

const vpcEndpoint: Calls = {
  make: (s) => [
    ...born(s, "CreateVpcEndpoint", "vpc-endpoint"),
    on(s.aws, "CreateVpcEndpoint", VPC, text(s.inputs, "vpcId")),
    ...texts(s.inputs, "routeTableIds").map((id) => on(s.aws, "CreateVpcEndpoint", TABLE, id)),
  ],
  read: () => describe("VpcEndpoints", "PrefixLists"),
  change: (s, _before, changed) =>
    changed.size > 0
      ? [
          itself(s, "ModifyVpcEndpoint", VPC_ENDPOINT),
          ...texts(s.inputs, "routeTableIds").map((id) => on(s.aws, "ModifyVpcEndpoint", TABLE, id)),
        ]
      : [],
  remove: (s) => [itself(s, "DeleteVpcEndpoints", VPC_ENDPOINT)],
  tags: tagged("vpc-endpoint", VPC_ENDPOINT),
};

/** The provider tags the group first, then deletes its rules. */
const defaultSecurityGroup: Calls = {
  make: ({ aws, inputs }) => {
    const mother = aws.store.get(VPC, text(inputs, "vpcId"));
    const resource = ec2(aws, "security-group", text(mother?.outs ?? {}, "defaultSecurityGroupId"));
    const tags = tagsIn(inputs);
    return [
      ...describe("SecurityGroups"),
      call("ec2:CreateTags", resource, requestTags(tags)),
      ...calls("ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress", resource, resourceTags(tags)),
    ];
  },
  read: () => describe("SecurityGroups"),
  remove: () => [],
  tags: tagged("security-group", DEFAULT_GROUP),
};

const securityGroup: Calls = {
  make: (s) => [
    ...born(s, "CreateSecurityGroup", "security-group"),
    on(s.aws, "CreateSecurityGroup", VPC, text(s.inputs, "vpcId")),
    itself(s, "RevokeSecurityGroupEgress", GROUP),
  ],
  read: () => describe("SecurityGroups"),
  remove: (s) => [itself(s, "DeleteSecurityGroup", GROUP)],
  tags: tagged("security-group", GROUP),
};

function rule(direction: "Ingress" | "Egress"): Calls {
  const token = `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`;
  const ofGroup = ({ aws, inputs }: Subject, action: string) =>
    on(aws, action, GROUP, text(inputs, "securityGroupId"));
  const ofRule = ({ aws, id }: Subject, action: string) =>
    call(`ec2:${action}`, ec2(aws, "security-group-rule", id), storedTags(aws.store, token, id));
  return {
    make: (s) => [
      ofGroup(s, `AuthorizeSecurityGroup${direction}`),
      ...born(s, `AuthorizeSecurityGroup${direction}`, "security-group-rule"),
    ],
    read: () => describe("SecurityGroupRules"),
    change: (s, _before, changed) =>
      changed.size > 0 ? [ofGroup(s, "ModifySecurityGroupRules"), ofRule(s, "ModifySecurityGroupRules")] : [],
    remove: (s) => [
      ofGroup(s, `RevokeSecurityGroup${direction}`),
      ofRule(s, `RevokeSecurityGroup${direction}`),
    ],
    tags: tagged("security-group-rule", token),
  };
}

const eip: Calls = {
  make: (s) => born(s, "AllocateAddress", "elastic-ip"),
  read: () => describe("Addresses", "AddressesAttribute"),
  remove: (s) => [itself(s, "ReleaseAddress", EIP)],
  tags: tagged("elastic-ip", EIP),
};

const association = ({ aws, inputs }: Subject, action: string) => [
  on(aws, action, EIP, text(inputs, "allocationId")),
  on(aws, action, INTERFACE, text(inputs, "networkInterfaceId")),
];

const eipAssociation: Calls = {
  make: (s) => association(s, "AssociateAddress"),
  read: () => describe("Addresses"),
  remove: (s) => association(s, "DisassociateAddress"),
};

const networkInterface: Calls = {
  make: (s) => [
    ...born(s, "CreateNetworkInterface", "network-interface"),
    inSubnet(s, "CreateNetworkInterface"),
    ...texts(s.inputs, "securityGroups").map((id) => on(s.aws, "CreateNetworkInterface", GROUP, id)),
    // No part of the request that creates it.
    ...(s.inputs.sourceDestCheck === false ? [itself(s, "ModifyNetworkInterfaceAttribute", INTERFACE)] : []),
  ],
  read: () => describe("NetworkInterfaces"),
  change: (s, _before, changed) => [
    ...byInput(
      {
        securityGroups: "ModifyNetworkInterfaceAttribute",
        description: "ModifyNetworkInterfaceAttribute",
        sourceDestCheck: "ModifyNetworkInterfaceAttribute",
      },
      INTERFACE,
    )(s, {}, changed),
    ...(changed.has("securityGroups")
      ? texts(s.inputs, "securityGroups").map((id) => on(s.aws, "ModifyNetworkInterfaceAttribute", GROUP, id))
      : []),
  ],
  remove: (s) => [...describe("NetworkInterfaces"), itself(s, "DeleteNetworkInterface", INTERFACE)],
  tags: tagged("network-interface", INTERFACE),
};

const passRole = (aws: Account, profile: string): Call =>
  call(
    "iam:PassRole",
    globalArn(
      aws,
      "iam",
      `role/${text(aws.store.get("aws:iam/instanceProfile:InstanceProfile", profile)?.inputs ?? {}, "role")}`,
    ),
    { "iam:PassedToService": "ec2.amazonaws.com" },
  );

const interfaceOf = (inputs: Props) =>
  text(object(inputs, "primaryNetworkInterface"), "networkInterfaceId") ||
  text(objects(inputs, "networkInterfaces")[0] ?? {}, "networkInterfaceId");

const rootTags = (inputs: Props) => tagsIn(object(inputs, "rootBlockDevice"));

/** The root volume. The program does not read its id, so only its tags matter. */
const rootVolume = (aws: Account, action: string, context: Props): Call =>
  call(`ec2:${action}`, ec2(aws, "volume", "root"), context as Call["context"] & object);

const instance: Calls = {
  make: (s) => {
    const { aws, inputs } = s;
    const port = aws.store.get(INTERFACE, interfaceOf(inputs));
    const subnetId = text(port?.inputs ?? inputs, "subnetId");
    const groups = texts(port?.inputs ?? {}, "securityGroups").concat(texts(inputs, "vpcSecurityGroupIds"));
    const profile = text(inputs, "iamInstanceProfile");
    const tags = rootTags(inputs);
    return [
      call("ec2:RunInstances", `arn:${aws.partition}:ec2:${aws.region}::image/${text(inputs, "ami")}`),
      ...born(s, "RunInstances", "instance"),
      ...(port
        ? [on(aws, "RunInstances", INTERFACE, port.id)]
        : born({ ...s, inputs: {} }, "RunInstances", "network-interface")),
      on(aws, "RunInstances", SUBNET, subnetId),
      ...groups.map((id) => on(aws, "RunInstances", GROUP, id)),
      // The tags of rootBlockDevice are no part of the request: they follow, and only `volumeTags` would be.
      rootVolume(aws, "RunInstances", requestTags(tagsIn({ tags: inputs.volumeTags }))),
      ...(profile ? [passRole(aws, profile)] : []),
      ...(Object.keys(tags).length > 0
        ? [{ ...rootVolume(aws, "CreateTags", requestTags(tags)), tolerated: true }]
        : []),
    ];
  },
  read: () =>
    describe(
      "Instances",
      "InstanceAttribute",
      "InstanceTypes",
      "InstanceCreditSpecifications",
      "Volumes",
      "Tags",
    ),
  change: (s, before, changed) => {
    const { aws, inputs } = s;
    const [was, is] = [rootTags(before), rootTags(inputs)];
    const size =
      object(before, "rootBlockDevice").volumeSize !== object(inputs, "rootBlockDevice").volumeSize;
    const stopped = "StopInstances ModifyInstanceAttribute StartInstances";
    return [
      ...byInput(
        {
          instanceType: stopped,
          userData: stopped,
          userDataBase64: stopped,
          metadataOptions: "ModifyInstanceMetadataOptions",
          maintenanceOptions: "ModifyInstanceMaintenanceOptions",
          creditSpecification: "ModifyInstanceCreditSpecification",
          disableApiTermination: "ModifyInstanceAttribute",
          iamInstanceProfile: "ReplaceIamInstanceProfileAssociation",
        },
        INSTANCE,
      )(s, before, changed),
      ...(changed.has("iamInstanceProfile")
        ? [...describe("IamInstanceProfileAssociations"), passRole(aws, text(inputs, "iamInstanceProfile"))]
        : []),
      ...(changed.has("rootBlockDevice") && size ? [rootVolume(aws, "ModifyVolume", resourceTags(was))] : []),
      ...(changed.has("rootBlockDevice") && !same(was, is)
        ? [rootVolume(aws, "CreateTags", { ...resourceTags(was), ...requestTags(is) })]
        : []),
    ];
  },
  remove: (s) => [
    ...(s.inputs.forceDestroy && s.inputs.disableApiTermination
      ? [itself(s, "ModifyInstanceAttribute", INSTANCE)]
      : []),
    itself(s, "TerminateInstances", INSTANCE),
  ],
  tags: tagged("instance", INSTANCE),
};

const volume: Calls = {
  make: (s) => [
    ...born(s, "CreateVolume", "volume"),
    // A snapshot's ARN holds no account.
    ...(s.inputs.snapshotId
      ? [
          call(
            "ec2:CreateVolume",
            `arn:${s.aws.partition}:ec2:${s.aws.region}::snapshot/${s.inputs.snapshotId}`,
            storedTags(s.aws.store, "aws:ebs/snapshot:Snapshot", String(s.inputs.snapshotId)),
          ),
        ]
      : []),
  ],
  read: () => describe("Volumes"),
  change: (s, _before, changed) => (changed.size > 0 ? [itself(s, "ModifyVolume", VOLUME)] : []),
  remove: (s) => [
    ...(s.inputs.finalSnapshot === true
      ? [
          itself(s, "CreateSnapshot", VOLUME),
          ...born(s, "CreateSnapshot", "snapshot"),
          ...describe("Snapshots"),
        ]
      : []),
    itself(s, "DeleteVolume", VOLUME),
  ],
  tags: tagged("volume", VOLUME),
};

const attached = ({ aws, inputs }: Subject, action: string) => [
  on(aws, action, INSTANCE, text(inputs, "instanceId")),
  on(aws, action, VOLUME, text(inputs, "volumeId")),
];

const volumeAttachment: Calls = {
  make: (s) => attached(s, "AttachVolume"),
  read: () => describe("Volumes"),
  remove: (s) => [
    ...(s.inputs.stopInstanceBeforeDetaching === true
      ? [on(s.aws, "StopInstances", INSTANCE, text(s.inputs, "instanceId"))]
      : []),
    ...attached(s, "DetachVolume"),
  ],
};

const ENDPOINT = "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint";

/** EC2 makes the endpoint's network interface in the caller's name, without the caller's tags (EC2 user guide, permissions). */
const connectEndpoint: Calls = {
  make: (s) => {
    const { aws, inputs } = s;
    const groups = texts(inputs, "securityGroupIds");
    const service = "ec2-instance-connect.amazonaws.com";
    const port = ec2(aws, "network-interface", "new");
    const mark = requestTags({ InstanceConnectEndpointId: "eice-new" });
    return [
      ...born(s, "CreateInstanceConnectEndpoint", "instance-connect-endpoint"),
      inSubnet(s, "CreateInstanceConnectEndpoint"),
      ...groups.map((id) => on(aws, "CreateInstanceConnectEndpoint", GROUP, id)),
      ...(hasServiceRole(aws, service)
        ? []
        : [
            call(
              "iam:CreateServiceLinkedRole",
              globalArn(aws, "iam", `role/aws-service-role/${service}/AWSServiceRoleForEc2InstanceConnect`),
              { "iam:AWSServiceName": service },
            ),
          ]),
      call("ec2:CreateNetworkInterface", port, mark),
      inSubnet(s, "CreateNetworkInterface"),
      ...groups.map((id) => on(aws, "CreateNetworkInterface", GROUP, id)),
      call("ec2:CreateTags", port, { ...mark, "ec2:CreateAction": "CreateNetworkInterface" }),
    ];
  },
  read: () => describe("InstanceConnectEndpoints"),
  change: (s, _before, changed) =>
    changed.size > 0 ? [itself(s, "ModifyInstanceConnectEndpoint", ENDPOINT)] : [],
  remove: (s) => [itself(s, "DeleteInstanceConnectEndpoint", ENDPOINT)],
  tags: tagged("instance-connect-endpoint", ENDPOINT),
};
TYPES[ENDPOINT] = "instance-connect-endpoint";

export const EC2_CALLS: Record<string, Calls> = {
  [VPC]: vpc,
  [SUBNET]: subnet,
  [GATEWAY]: internetGateway,
  [TABLE]: routeTable,
  "aws:ec2/route:Route": route,
  "aws:ec2/routeTableAssociation:RouteTableAssociation": routeTableAssociation,
  [DEFAULT_GROUP]: defaultSecurityGroup,
  [GROUP]: securityGroup,
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule("Ingress"),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": rule("Egress"),
  [EIP]: eip,
  "aws:ec2/eipAssociation:EipAssociation": eipAssociation,
  [INTERFACE]: networkInterface,
  [INSTANCE]: instance,
  [VOLUME]: volume,
  "aws:ec2/volumeAttachment:VolumeAttachment": volumeAttachment,
  [ENDPOINT]: connectEndpoint,
  [VPC_ENDPOINT]: vpcEndpoint,
};
