import { bucketName, desiredOf, statusOf } from "../../../aws/stack.ts";
import { CheckFailure } from "../../check.ts";
import type { AwsCheck } from "../check.ts";

/** That every machine runs what the stack wants. */
export const converged: AwsCheck = {
  id: "converged",
  title: "Deployment",
  about: "stack",
  tried: () => "s3:GetObject desired.json and each machine's status",
  async run({ settings, account = "", machines = [], bucket }) {
    const objects = bucket(bucketName(machines, settings.stack, account));
    const { generation } = await desiredOf(objects);
    const problems: string[] = [];
    for (const { InstanceId: id = "" } of machines) {
      const status = await statusOf(objects, id);
      if (!status) problems.push(`${id} has not reported yet`);
      else if (status.generation !== generation) problems.push(`${id} is at ${status.generation}`);
      else if (!status.ok) problems.push(`${id} ended ${status.phase} without success`);
    }
    if (problems.length > 0) throw new CheckFailure(`${generation} is wanted; ${problems.join("; ")}`);
    return `every machine is at ${generation.slice(0, 12)}`;
  },
  fix: ({ settings }) => `Read why: npm run mcp-edge -- status --stack ${settings.stack}; RUNBOOK.md`,
};
