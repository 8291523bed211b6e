import { imageParameter } from "../../../infra/aws/image-parameter.ts";
import { CheckFailure } from "../check.ts";
import type { AwsCheck } from "./check.ts";
import { filters } from "./client.ts";

/** Debian's account, from wiki.debian.org/Cloud/AmazonEC2Image. */
const DEBIAN = "136693071363";

const identity: AwsCheck = {
  id: "identity",
  title: "Credentials",
  about: "account",
  tried: () => "sts:GetCallerIdentity",
  async run(context) {
    const answer = await context.aws.query("sts", "GetCallerIdentity");
    const account = answer.get("GetCallerIdentityResult/Account");
    if (!account) throw new CheckFailure("STS named no account");
    context.account = account;
    return `account ${account} as ${answer.get("GetCallerIdentityResult/Arn").split(":").at(-1)}`;
  },
  fix: () => "Sign in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
};

const parameter: AwsCheck = {
  id: "image-parameter",
  title: "Debian 13 parameter",
  about: "account",
  tried: ({ settings, aws }) => `ssm:GetParameter ${imageParameter(settings.architecture)} in ${aws.region}`,
  async run(context) {
    const Name = imageParameter(context.settings.architecture);
    const { Parameter } = await context.aws.ssm<{ Parameter: { Value: string; LastModifiedDate?: number } }>(
      "GetParameter",
      { Name },
    );
    if (!/^ami-[0-9a-f]+$/.test(Parameter.Value))
      throw new CheckFailure(`its value is ${Parameter.Value}, no image`);
    context.image = Parameter.Value;
    return Parameter.Value;
  },
  fix: () => "Name an image of https://wiki.debian.org/Cloud/AmazonEC2Image: mcp-edge:image: ami-…",
};

const image: AwsCheck = {
  id: "image",
  title: "Debian 13 image",
  about: "account",
  tried: ({ image = "" }) => `ec2:DescribeImages ${image}`,
  async run({ aws, image = "", settings }) {
    const answer = await aws.query("ec2", "DescribeImages", { "ImageId.1": image });
    const [found] = answer.all("imagesSet/item");
    if (!found) throw new CheckFailure(`there is no image ${image}`);
    const is = {
      imageOwnerId: [found.get("imageOwnerId"), DEBIAN],
      imageState: [found.get("imageState"), "available"],
      architecture: [found.get("architecture"), settings.architecture === "arm64" ? "arm64" : "x86_64"],
      enaSupport: [found.get("enaSupport"), "true"],
    };
    const wrong = Object.entries(is).filter(([, [got, wanted]]) => got !== wanted);
    if (wrong.length > 0) {
      throw new CheckFailure(
        wrong.map(([name, [got, wanted]]) => `${name} is ${got}, not ${wanted}`).join("; "),
      );
    }
    return `${found.get("name")}, root at ${found.get("rootDeviceName")}`;
  },
  fix: () => "Name an image of Debian's account by hand: mcp-edge:image: ami-…",
};

const offered: AwsCheck = {
  id: "instance-type",
  title: "Instance type",
  about: "account",
  tried: ({ settings }) => `ec2:DescribeInstanceTypeOfferings ${settings.instanceType}`,
  async run({ aws, settings }) {
    const answer = await aws.query("ec2", "DescribeInstanceTypeOfferings", {
      LocationType: "availability-zone",
      ...filters({ "instance-type": settings.instanceType }),
    });
    // A zone of the region itself is its name and a letter; local and wavelength zones are called otherwise.
    const zones = answer
      .all("instanceTypeOfferingSet/item")
      .map((item) => item.get("location"))
      .filter((zone) => /^[a-z]$/.test(zone.slice(aws.region.length)))
      .sort();
    if (zones.length === 0) throw new CheckFailure(`${aws.region} has no ${settings.instanceType}`);
    if (zones.length < 2)
      throw new CheckFailure(
        `${settings.instanceType} is offered in ${zones[0]} alone: all machines would be in one zone`,
      );
    return `${settings.instanceType} in ${zones.join(", ")}`;
  },
  fix: ({ settings, aws }) =>
    `Choose another type, or another region: aws ec2 describe-instance-type-offerings --region ${aws.region} --location-type availability-zone; then pulumi config set mcp-edge:instanceType … --stack ${settings.stack}`,
};

const zone: AwsCheck = {
  id: "zone",
  title: "Route 53 zone",
  about: "account",
  tried: ({ settings }) =>
    settings.zone ? `route53:ListHostedZonesByName ${settings.zone}` : "no zone in the settings",
  async run({ aws, settings }) {
    if (!settings.zone) return "none: the records are made by hand (output `records`)";
    const answer = await aws.route53(`hostedzonesbyname?dnsname=${settings.zone}&maxitems=1`);
    const [found] = answer.all("HostedZones/HostedZone");
    if (found?.get("Name") !== `${settings.zone}.`) {
      if (settings.hostedZone === "create") return `${settings.zone} is not there yet: \`up\` makes it`;
      throw new CheckFailure(`the account has no zone ${settings.zone}`);
    }
    const id = found.get("Id").split("/").at(-1);
    const records = await aws.route53(`hostedzone/${id}/rrset?name=${settings.domain}&maxitems=20`);
    const types = records
      .all("ResourceRecordSets/ResourceRecordSet")
      .filter((record) => record.get("Name") === `${settings.domain}.`)
      .map((record) => record.get("Type"));
    return types.length > 0
      ? `${settings.domain} has ${types.sort().join(", ")}`
      : `${settings.domain} has no record yet`;
  },
  fix: ({ settings }) =>
    `Make the zone: pulumi config set mcp-edge:hostedZone create --stack ${settings.stack}; or name another in mcp-edge:zone`,
};

/** What holds, or does not, before anything is made. */
export const ACCOUNT_CHECKS: readonly AwsCheck[] = [identity, parameter, image, offered, zone];
