import { machinesOf } from "../../../aws/stack.ts";
import type { AwsCheck } from "../check.ts";
import { failOn, REFRESH } from "./problems.ts";

/** The stack's instances: that they run, and that their metadata service is closed to containers and to IMDSv1. */
export const machines: AwsCheck = {
  id: "machines",
  title: "Machines",
  about: "account",
  tried: ({ settings }) => `ec2:DescribeInstances with the tags of ${settings.stack}`,
  async run(context) {
    const found = await machinesOf(context.aws.ec2, context.settings.stack);
    context.machines = found;
    if (found.length === 0) return "none yet: pulumi up makes them";
    failOn(
      found.flatMap(({ InstanceId: id, State, MetadataOptions: metadata }) => [
        ...(State?.Name === "running" ? [] : [`${id} is ${State?.Name}`]),
        ...(metadata?.HttpTokens === "required"
          ? []
          : [`${id} answers IMDSv1 (httpTokens ${metadata?.HttpTokens})`]),
        ...(metadata?.HttpPutResponseHopLimit === 1
          ? []
          : [`${id} has hop limit ${metadata?.HttpPutResponseHopLimit}`]),
      ]),
    );
    return found.map(({ InstanceId, InstanceType }) => `${InstanceId} (${InstanceType})`).join(", ");
  },
  fix: () => REFRESH,
};
