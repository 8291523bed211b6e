import { type Account, ApiError, arn, type Kind, newId, tagsAll } from "../kind.ts";
import { copyDisk, removeDisk } from "../machine/disk.ts";
import { isObject, object, objects, type Props, text, texts } from "../values.ts";
import { VOLUME } from "./volumes.ts";

/** Amazon Data Lifecycle Manager (DLM API reference, CreateLifecyclePolicy), and the snapshots that it takes. */

export const LIFECYCLE_POLICY = "aws:dlm/lifecyclePolicy:LifecyclePolicy";
const SNAPSHOT = "aws:ebs/snapshot:Snapshot";

function problems(inputs: Props): [string, string][] {
  const found: [string, string][] = [];
  const description = text(inputs, "description");
  if (!/^[0-9A-Za-z _-]{1,500}$/.test(description))
    found.push(["description", `"${description}" has more than letters, digits, blanks, _ and -`]);
  const details = object(inputs, "policyDetails");
  const [type] = texts(details, "resourceTypes");
  if (type !== undefined && !["VOLUME", "INSTANCE"].includes(type))
    found.push(["policyDetails", `"${type}" is no VOLUME and no INSTANCE`]);
  if (isObject(details.targetTags) && Object.keys(details.targetTags).length === 0)
    found.push(["policyDetails", "targetTags is empty"]);
  const schedules = objects(details, "schedules");
  if (schedules.length > 4) found.push(["policyDetails", "more than 4 schedules"]);
  for (const schedule of schedules) {
    const rule = object(schedule, "createRule");
    if (rule.interval !== undefined && ![1, 2, 3, 4, 6, 8, 12, 24].includes(Number(rule.interval)))
      found.push(["policyDetails", `an interval of ${rule.interval} hours is not taken`]);
    if (rule.times !== undefined && !/^([01]\d|2[0-3]):[0-5]\d$/.test(String(rule.times)))
      found.push(["policyDetails", `"${rule.times}" is no time as 03:00`]);
    const { count } = object(schedule, "retainRule");
    if (count !== undefined && !(Number(count) >= 1 && Number(count) <= 1000))
      found.push(["policyDetails", `a count of ${count} is not between 1 and 1000`]);
  }
  return found;
}

export const lifecyclePolicy: Kind = {
  token: LIFECYCLE_POLICY,
  replaces: [],
  references: {
    executionRoleArn: { token: "aws:iam/role:Role", id: (value) => value.split("role/").at(-1) ?? "" },
  },
  check: problems,
  make: (inputs, aws) => {
    const id = newId("policy");
    return { id, outs: { arn: arn(aws, "dlm", `policy/${id}`), ...tagsAll(inputs) } };
  },
  change: (_before, inputs) => tagsAll(inputs),
};

/** A snapshot in the API, which is not a resource of the program. @throws ApiError when there is none */
export function snapshotOf(aws: Account, id: string): Props {
  const found = aws.store.get(SNAPSHOT, id);
  if (!found) throw new ApiError("InvalidSnapshot.NotFound", `The snapshot '${id}' does not exist.`);
  return found.inputs;
}

/** Runs the schedules of Data Lifecycle Manager. @returns the ids of the new snapshots */
export async function runLifecyclePolicies(aws: Account): Promise<string[]> {
  const made: string[] = [];
  for (const { inputs } of aws.store.all(LIFECYCLE_POLICY)) {
    const details = object(inputs, "policyDetails");
    const wanted = Object.entries(object(details, "targetTags"));
    const volumes = aws.store
      .all(VOLUME)
      .filter((volume) => wanted.some(([key, value]) => object(volume.inputs, "tags")[key] === value));
    for (const volume of volumes) {
      const id = newId("snap");
      await copyDisk(aws.store.home, volume.id, id);
      const tags = object(volume.inputs, "tags");
      const copied = { volumeId: volume.id, volumeSize: volume.inputs.size, tags };
      aws.store.put({ token: SNAPSHOT, id, inputs: copied, outs: copied });
      made.push(id);
    }
  }
  return made;
}

/** Deletes the snapshots, which outlive the stack. */
export async function forgetSnapshots(aws: Account): Promise<void> {
  for (const { id } of aws.store.all(SNAPSHOT)) {
    aws.store.remove(SNAPSHOT, id);
    await removeDisk(aws.store.home, id);
  }
}
