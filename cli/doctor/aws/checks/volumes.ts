import { DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { stackFilters } from "../../../aws/stack.ts";
import type { AwsCheck } from "../check.ts";
import { failOn, REFRESH } from "./problems.ts";

/** That all volumes are encrypted, and that each machine has its data volume. */
export const volumes: AwsCheck = {
  id: "volumes",
  title: "Volumes",
  about: "stack",
  tried: ({ settings }) => `ec2:DescribeVolumes with the tags of ${settings.stack}`,
  async run({ aws, settings, machines = [] }) {
    const { Volumes = [] } = await aws.ec2.send(
      new DescribeVolumesCommand({ Filters: stackFilters(settings.stack) }),
    );
    const data = Volumes.filter(({ Attachments: [first] = [] }) => first?.Device === "/dev/sdf");
    failOn([
      ...Volumes.filter(({ Encrypted }) => !Encrypted).map(({ VolumeId }) => `${VolumeId} is not encrypted`),
      ...(data.length === machines.length
        ? []
        : [`${data.length} data volumes are attached, not ${machines.length}`]),
    ]);
    return `${Volumes.length}, encrypted, ${data.length} of them attached for data`;
  },
  fix: () => REFRESH,
};
