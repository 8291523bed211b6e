import { imageOf } from "../images.ts";
import type { Account } from "../kind.ts";
import { walls } from "../machine/firewall.ts";
import { INSTANCE, INTERFACE } from "../services/instances.ts";
import { offeredZones } from "../services/offerings.ts";
import { EGRESS, INGRESS } from "../services/security-groups.ts";
import { ATTACHMENT, VOLUME } from "../services/volumes.ts";
import { route as routeKind, routeTable, routeTableAssociation } from "../services/vpc.ts";
import type { Stored } from "../store.ts";
import { isObject, object, type Props, text } from "../values.ts";
import type { Gate } from "./api.ts";
import type { Answer } from "./s3.ts";
import { ServiceError } from "./services.ts";

/** The requests of `mcp-edge doctor --aws` other than for objects and parameters, in the XML of each service's API reference. */

const TABLE = routeTable.token;
const TABLE_ASSOCIATION = routeTableAssociation.token;
const ROUTE = routeKind.token;

type Tree = { [name: string]: string | boolean | number | undefined | Tree | Tree[] };

const escaped = (value: unknown) => String(value).replace(/[<>&]/g, (char) => `&#${char.charCodeAt(0)};`);

/** A list is one element for each of its members. */
function xml(tree: Tree): string {
  return Object.entries(tree)
    .flatMap(([name, value]) =>
      value === undefined
        ? []
        : [value]
            .flat()
            .map((one) => `<${name}>${isObject(one) ? xml(one as Tree) : escaped(one)}</${name}>`),
    )
    .join("");
}

type Question = (asked: Props, aws: Account, caller: string) => Tree;

/** EC2's filters `tag:NAME`, of which all must hold. */
function tagged(asked: Props, found: Stored[]): Stored[] {
  const wanted = Object.entries(asked).flatMap(([key, name]) => {
    const [, index] = /^Filter\.(\d+)\.Name$/.exec(key) ?? [];
    return index ? [[String(name), String(asked[`Filter.${index}.Value.1`])] as const] : [];
  });
  for (const [name] of wanted)
    if (!name.startsWith("tag:"))
      throw new ServiceError("InvalidParameterValue", `The filter '${name}' is invalid`);
  return found.filter(({ inputs }) =>
    wanted.every(([name, value]) => object(inputs, "tags")[name.slice("tag:".length)] === value),
  );
}

const instances: Question = (asked, { store }) => ({
  reservationSet: {
    item: tagged(asked, store.all(INSTANCE)).map(({ id, inputs, outs }) => {
      const metadata = object(inputs, "metadataOptions");
      return {
        instancesSet: {
          item: {
            instanceId: id,
            instanceState: { name: "running" },
            instanceType: text(inputs, "instanceType"),
            launchTime: text(outs, "launchTime"),
            subnetId: text(outs, "subnetId"),
            ipAddress: walls(store).find((wall) => wall.id === id)?.publicIp,
            networkInterfaceSet: {
              item: {
                networkInterfaceId: text(outs, "primaryNetworkInterfaceId"),
                sourceDestCheck:
                  store.get(INTERFACE, text(outs, "primaryNetworkInterfaceId"))?.outs.sourceDestCheck !==
                  false,
              },
            },
            tagSet: {
              item: Object.entries(object(inputs, "tags")).map(([key, value]) => ({
                key,
                value: String(value),
              })),
            },
            metadataOptions: {
              httpTokens: text(metadata, "httpTokens"),
              httpPutResponseHopLimit: Number(metadata.httpPutResponseHopLimit),
            },
          },
        },
      };
    }),
  },
});

const routeTables: Question = (asked, { store }) => ({
  routeTableSet: {
    item: tagged(asked, store.all(TABLE)).map(({ id }) => ({
      routeTableId: id,
      associationSet: {
        item: store
          .all(TABLE_ASSOCIATION)
          .filter(({ inputs }) => inputs.routeTableId === id)
          .map(({ inputs }) => ({
            subnetId: text(inputs, "subnetId") || undefined,
            gatewayId: text(inputs, "gatewayId") || undefined,
          })),
      },
      routeSet: {
        item: store
          .all(ROUTE)
          .filter(({ inputs }) => inputs.routeTableId === id)
          .map(({ inputs }) => ({
            destinationCidrBlock: text(inputs, "destinationCidrBlock") || undefined,
            destinationIpv6CidrBlock: text(inputs, "destinationIpv6CidrBlock") || undefined,
            gatewayId: text(inputs, "gatewayId") || undefined,
            networkInterfaceId: text(inputs, "networkInterfaceId") || undefined,
            state: "active",
          })),
      },
    })),
  },
});

const volumes: Question = (asked, { store }) => ({
  volumeSet: {
    item: tagged(asked, store.all(VOLUME)).map(({ id, inputs }) => ({
      volumeId: id,
      encrypted: inputs.encrypted === true,
      attachmentSet: {
        item: store
          .all(ATTACHMENT)
          .filter((one) => one.inputs.volumeId === id)
          .map((one) => ({ device: text(one.inputs, "deviceName") })),
      },
    })),
  },
});

const rules: Question = (asked, { store }) => ({
  securityGroupRuleSet: {
    item: [INGRESS, EGRESS].flatMap((token) =>
      tagged(asked, store.all(token)).map(({ inputs }) => ({
        isEgress: token === EGRESS,
        ipProtocol: text(inputs, "ipProtocol"),
        fromPort: Number(inputs.fromPort ?? -1),
        toPort: Number(inputs.toPort ?? -1),
        ...(inputs.cidrIpv4 ? { cidrIpv4: text(inputs, "cidrIpv4") } : {}),
        ...(inputs.cidrIpv6 ? { cidrIpv6: text(inputs, "cidrIpv6") } : {}),
      })),
    ),
  },
});

const images: Question = (asked, { region }) => {
  const image = imageOf(region, text(asked, "ImageId.1"));
  if (!image)
    throw new ServiceError("InvalidAMIID.NotFound", `The image id '[${asked["ImageId.1"]}]' does not exist`);
  return {
    imagesSet: {
      item: {
        imageId: image.id,
        imageOwnerId: "136693071363",
        imageState: "available",
        architecture: image.architecture,
        enaSupport: true,
        name: image.name,
        rootDeviceName: "/dev/xvda",
      },
    },
  };
};

const offerings: Question = (asked, aws) => ({
  instanceTypeOfferingSet: {
    item: offeredZones(aws, text(asked, "Filter.1.Value.1")).map((location) => ({ location })),
  },
});

const identity: Question = (_, { account }, caller) => ({
  GetCallerIdentityResult: {
    Arn: `arn:aws:sts::${account}:assumed-role/${caller}/double`,
    Account: account,
  },
});

const QUERIES: Record<string, Question> = {
  "ec2:DescribeImages": images,
  "ec2:DescribeInstances": instances,
  "ec2:DescribeInstanceTypeOfferings": offerings,
  "ec2:DescribeRouteTables": routeTables,
  "ec2:DescribeSecurityGroupRules": rules,
  "ec2:DescribeVolumes": volumes,
  "sts:GetCallerIdentity": identity,
};

export const answer = (name: string, tree: Tree): Answer => ({
  status: 200,
  headers: { "content-type": "text/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<${name}>${xml(tree)}</${name}>`,
});

export function need(gate: Gate, action: string, resource = "*"): void {
  if (!gate({ action, resource }))
    throw new ServiceError("AccessDenied", `not authorized to perform: ${action} on resource: ${resource}`);
}

/** Answers a request in the query protocol; undefined for an unknown one. */
export function answerQuery(
  aws: Account,
  gate: Gate,
  service: string,
  caller: string,
  body: Buffer,
): Answer | undefined {
  const asked = Object.fromEntries(new URLSearchParams(body.toString()));
  const action = `${service === "monitoring" ? "cloudwatch" : service}:${asked.Action}`;
  const question = QUERIES[action];
  if (!question) return undefined;
  need(gate, action);
  return answer(`${asked.Action}Response`, question(asked, aws, caller));
}

/** A bucket's configuration: `?publicAccessBlock` and `?versioning`; undefined for another request. */
export function answerBucketSettings({ store }: Account, gate: Gate, target: string): Answer | undefined {
  const { pathname, search } = new URL(target, "http://s3");
  const bucket = pathname.split("/")[1] ?? "";
  const [, what] = /^\?(publicAccessBlock|versioning)=?$/.exec(search) ?? [];
  if (!what) return undefined;
  const resource = `arn:aws:s3:::${bucket}`;
  const kind = what === "versioning" ? "BucketVersioning" : "BucketPublicAccessBlock";
  need(gate, `s3:Get${kind}`, resource);
  const [found] = store
    .all(`aws:s3/b${kind.slice(1)}:${kind}`)
    .filter(({ inputs }) => inputs.bucket === bucket);
  const settings = found?.inputs ?? {};
  if (what === "versioning")
    return answer("VersioningConfiguration", {
      Status: text(object(settings, "versioningConfiguration"), "status"),
    });
  return answer("PublicAccessBlockConfiguration", {
    BlockPublicAcls: settings.blockPublicAcls === true,
    IgnorePublicAcls: settings.ignorePublicAcls === true,
    BlockPublicPolicy: settings.blockPublicPolicy === true,
    RestrictPublicBuckets: settings.restrictPublicBuckets === true,
  });
}
