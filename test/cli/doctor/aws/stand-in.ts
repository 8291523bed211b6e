import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A double of AWS with the answers of STS, EC2, CloudWatch, SSM, S3 and Route 53 from their API references, for one
 * account with one machine of the stack `prod`. It checks that a request is signed for its service and region; it does not
 * check the signature, and it does not page. It refuses every request that is not in its answers, as AWS would.
 */
export interface StandIn {
  endpoint: string;
  /** Answers by `service action`; tests change them. */
  answers: Record<string, string>;
  /** The requests, as `service action`. */
  requests: string[];
  close(): Promise<void>;
}

export const MACHINE = "i-0123456789abcdef0";
const IMAGE = "ami-0123456789abcdef0";

const rule = (protocol: string, port: number, cidr: string) =>
  `<item><isEgress>false</isEgress><ipProtocol>${protocol}</ipProtocol><fromPort>${port}</fromPort><toPort>${port}</toPort>${cidr.includes(":") ? `<cidrIpv6>${cidr}</cidrIpv6>` : `<cidrIpv4>${cidr}</cidrIpv4>`}</item>`;

export const rules = (...all: [string, number, string][]) =>
  `<DescribeSecurityGroupRulesResponse><securityGroupRuleSet><item><isEgress>true</isEgress><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4></item>${all.map((one) => rule(...one)).join("")}</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>`;

/** @param launched ISO 8601 */
export const instance = (tokens = "required", state = "running", launched = "2026-01-01T00:00:00.000Z") =>
  `<?xml version="1.0" encoding="UTF-8"?><DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item><instancesSet><item><instanceId>${MACHINE}</instanceId><instanceState><code>16</code><name>${state}</name></instanceState><instanceType>t4g.small</instanceType><launchTime>${launched}</launchTime><metadataOptions><state>applied</state><httpTokens>${tokens}</httpTokens><httpPutResponseHopLimit>1</httpPutResponseHopLimit></metadataOptions></item></instancesSet></item></reservationSet></DescribeInstancesResponse>`;

/** Running machines of the stack `prod`, by their numbers. */
export const instances = (...all: [number, string][]) =>
  `<DescribeInstancesResponse><reservationSet>${all
    .map(
      ([number, id]) =>
        `<item><instancesSet><item><instanceId>${id}</instanceId><instanceState><name>running</name></instanceState><tagSet><item><key>Name</key><value>mcp-edge-prod${number === 1 ? "" : `.${number}`}</value></item></tagSet></item></instancesSet></item>`,
    )
    .join("")}</reservationSet></DescribeInstancesResponse>`;

/** An edge that forwards packets, and the machine behind it. The parts that a test breaks are in the arguments. */
export const forwarding = ({
  edgeChecked = false,
  originChecked = true,
  originAddress = "",
}: {
  edgeChecked?: boolean;
  originChecked?: boolean;
  originAddress?: string;
} = {}) => {
  const one = (name: string, id: string, port: string, checked: boolean, address: string) =>
    `<item><instancesSet><item><instanceId>${id}</instanceId><instanceState><name>running</name></instanceState><instanceType>t4g.small</instanceType><subnetId>subnet-of-${port}</subnetId>${address ? `<ipAddress>${address}</ipAddress>` : ""}<launchTime>2026-01-01T00:00:00.000Z</launchTime><metadataOptions><httpTokens>required</httpTokens><httpPutResponseHopLimit>1</httpPutResponseHopLimit></metadataOptions><networkInterfaceSet><item><networkInterfaceId>${port}</networkInterfaceId><sourceDestCheck>${checked}</sourceDestCheck></item></networkInterfaceSet><tagSet><item><key>Name</key><value>${name}</value></item></tagSet></item></instancesSet></item>`;
  return `<DescribeInstancesResponse><reservationSet>${one("mcp-edge-prod.origin", "i-origin", "eni-origin", originChecked, originAddress)}${one("mcp-edge-prod", MACHINE, "eni-edge", edgeChecked, "198.51.100.7")}</reservationSet></DescribeInstancesResponse>`;
};

/** The routes of the origin's subnet. @param to destination, target and state of each */
export const routes = (...to: [string, string, string?][]) =>
  `<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId><associationSet><item><subnetId>subnet-of-eni-origin</subnetId></item></associationSet><routeSet><item><destinationCidrBlock>10.20.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state></item>${to
    .map(([range, target, state = "active"]) => {
      const destination = range.includes(":") ? "destinationIpv6CidrBlock" : "destinationCidrBlock";
      return `<item><${destination}>${range}</${destination}><networkInterfaceId>${target}</networkInterfaceId><state>${state}</state></item>`;
    })
    .join("")}</routeSet></item></routeTableSet></DescribeRouteTablesResponse>`;

export const NO_INSTANCES = "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>";

/** @param put when the alarm was created, ISO 8601 */
export const alarm = (state: string, metric = "StatusCheckFailed_System", put = "2026-01-01T00:00:00.000Z") =>
  JSON.stringify({
    MetricAlarms: [
      {
        AlarmName: "mcp-edge-prod-host",
        MetricName: metric,
        AlarmConfigurationUpdatedTimestamp: Date.parse(put) / 1000,
        StateValue: state,
        StateReason: "2 datapoints > 0",
        Dimensions: [{ Name: "InstanceId", Value: MACHINE }],
      },
    ],
  });

export const image = (architecture: string) =>
  `<DescribeImagesResponse><imagesSet><item><imageId>${IMAGE}</imageId><imageOwnerId>136693071363</imageOwnerId><imageState>available</imageState><architecture>${architecture}</architecture><enaSupport>true</enaSupport><name>debian-13-arm64-20261101-1</name><rootDeviceName>/dev/xvda</rootDeviceName></item></imagesSet></DescribeImagesResponse>`;

const good = (): Record<string, string> => ({
  "sts GetCallerIdentity":
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/reader/ada</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
  "ssm GetParameter": JSON.stringify({ Parameter: { Name: "…", Value: IMAGE } }),
  "ec2 DescribeImages": image("arm64"),
  "ec2 DescribeInstanceTypeOfferings":
    "<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet><item><location>eu-central-1b</location></item><item><location>eu-central-1a</location></item></instanceTypeOfferingSet></DescribeInstanceTypeOfferingsResponse>",
  "ec2 DescribeInstances": instance(),
  "ec2 DescribeVolumes": `<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><encrypted>true</encrypted><attachmentSet><item><device>/dev/xvda</device></item></attachmentSet></item><item><volumeId>vol-2</volumeId><encrypted>true</encrypted><attachmentSet><item><device>/dev/sdf</device></item></attachmentSet></item></volumeSet></DescribeVolumesResponse>`,
  "ec2 DescribeSecurityGroupRules": rules(
    ["tcp", 443, "0.0.0.0/0"],
    ["udp", 443, "0.0.0.0/0"],
    ["tcp", 443, "::/0"],
    ["udp", 443, "::/0"],
    ["tcp", 80, "0.0.0.0/0"],
  ),
  "monitoring DescribeAlarms": alarm("OK"),
  "route53 hostedzonesbyname":
    "<ListHostedZonesByNameResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name></HostedZone></HostedZones></ListHostedZonesByNameResponse>",
  "route53 hostedzone/Z1/rrset": records("letsencrypt.org; validationmethods=http-01"),
  "s3 ?publicAccessBlock":
    "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
  "s3 ?versioning": "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  "s3 desired.json": JSON.stringify({ generation: "aaaabbbbccccdddd" }),
  [`s3 status/${MACHINE}.json`]: JSON.stringify({ generation: "aaaabbbbccccdddd", phase: "done", ok: true }),
});

const SCOPE =
  /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/([\w-]+)\/(\w+)\/aws4_request, SignedHeaders=([\w;-]+), Signature=[0-9a-f]{64}$/;

/** The domain's records, and another's. @param issue the value of its CAA record */
export const records = (issue: string) =>
  `<ListResourceRecordSetsResponse><ResourceRecordSets>${["A", "AAAA", "CAA", "HTTPS"]
    .map((type) => {
      const value = type === "CAA" ? `0 issue &quot;${issue}&quot;` : "";
      return `<ResourceRecordSet><Name>mcp.example.com.</Name><Type>${type}</Type><ResourceRecords><ResourceRecord><Value>${value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;
    })
    .join(
      "",
    )}<ResourceRecordSet><Name>other.example.com.</Name><Type>MX</Type></ResourceRecordSet></ResourceRecordSets></ListResourceRecordSetsResponse>`;

/** The action of a request, or its path. */
function actionOf(service: string, url: URL, body: string, target: string): string {
  if (target) return target.split(".").at(-1) ?? "";
  if (service === "route53") return url.pathname.replace("/2013-04-01/", "");
  if (service === "s3")
    return url.pathname.replace("/mcp-edge-prod-123456789012/", "") + url.search.replace(/\?x-id=.*|=$/, "");
  return new URLSearchParams(body).get("Action") ?? "";
}

/** An error as each protocol of AWS writes it. */
function errorBody(service: string, code: string): string {
  const message = "said by the stand-in";
  if (service === "json") return JSON.stringify({ __type: code, message });
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  if (service === "s3") return error;
  return service === "ec2"
    ? `<Response><Errors>${error}</Errors></Response>`
    : `<ErrorResponse>${error}</ErrorResponse>`;
}

export async function standIn(): Promise<StandIn> {
  const answers = good();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const [, region, service = "", signed = ""] = SCOPE.exec(request.headers.authorization ?? "") ?? [];
      const target = String(request.headers["x-amz-target"] ?? "");
      const refuse = (status: number, code: string) =>
        response.writeHead(status).end(errorBody(target ? "json" : service, code));
      if (region !== (service === "route53" ? "us-east-1" : "eu-central-1"))
        return refuse(403, "SignatureDoesNotMatch");
      if (target && !signed.includes("x-amz-target")) return refuse(403, "SignatureDoesNotMatch");
      const action = actionOf(service, new URL(request.url ?? "/", "http://aws"), body, target);
      requests.push(`${service} ${action}`);
      const answer = answers[`${service} ${action}`];
      if (answer === undefined) return refuse(403, "AccessDenied");
      response.end(answer);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    requests,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
