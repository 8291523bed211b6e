import { DescribeInstanceTypeOfferingsCommand } from "@aws-sdk/client-ec2";
import { CheckFailure } from "../../check.ts";
import type { AwsCheck } from "../check.ts";

/** Whether the instance type is offered in two zones of the region, so that machines can be in different ones. */
export const instanceType: AwsCheck = {
  id: "instance-type",
  title: "Instance type",
  about: "account",
  tried: ({ settings }) => `ec2:DescribeInstanceTypeOfferings ${settings.instanceType}`,
  async run({ aws, settings }) {
    const { InstanceTypeOfferings = [] } = await aws.ec2.send(
      new DescribeInstanceTypeOfferingsCommand({
        LocationType: "availability-zone",
        Filters: [{ Name: "instance-type", Values: [settings.instanceType] }],
      }),
    );
    // A zone of the region itself is its name and a letter; local and wavelength zones have longer names.
    const zones = InstanceTypeOfferings.map(({ Location = "" }) => Location)
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
