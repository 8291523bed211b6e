import { DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { stackFilters, withKinds } from "../../../aws/stack.ts";
import type { AwsCheck } from "../check.ts";
import { failOn, REFRESH } from "./problems.ts";

/** That all volumes are encrypted, and that each machine with the server has its data volume. */
export const volumes: AwsCheck = {
  id: "volumes",
  title: "Volumes",
  about: "stack",
  tried: ({ settings }) => `ec2:DescribeVolumes with the tags of ${settings.stack}`,
  async run({ aws, settings, machines = [] }) {
    const { Volumes = [] } = await aws.ec2.send(
      new DescribeVolumesCommand({ Filters: stackFilters(settings.stack) }),
    );
    // An edge that forwards packets keeps nothing.
    const servers = withKinds(machines).filter(({ kind }) => kind !== "edge").length;
    const data = Volumes.filter(({ Attachments: [first] = [] }) => first?.Device === "/dev/sdf");
    failOn([
      ...Volumes.filter(({ Encrypted }) => !Encrypted).map(({ VolumeId }) => `${VolumeId} is not encrypted`),
      ...(data.length === servers ? [] : [`${data.length} data volumes are attached, not ${servers}`]),
    ]);
    return `${Volumes.length}, encrypted, ${data.length} of them attached for data`;
  },
  fix: () => REFRESH,
};
