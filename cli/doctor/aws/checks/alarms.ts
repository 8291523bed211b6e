import { DescribeAlarmsCommand, type MetricAlarm } from "@aws-sdk/client-cloudwatch";
import type { Instance } from "@aws-sdk/client-ec2";
import type { AwsCheck } from "../check.ts";
import { failOn } from "./problems.ts";

/**
 * Minutes in which the state of a new alarm says more about its age than about the machine: nothing has been measured, and missing
 * data may count as bad. A new machine has its metrics after five minutes, a health check of Route 53 its first result after ten.
 */
const NEW_ALARM_MINUTES = 20;

const isNew = (since: Date | undefined, now: number) =>
  now - (since?.getTime() ?? 0) < NEW_ALARM_MINUTES * 60_000;

/**
 * Whether a raised alarm is too new to count. The status checks of EC2 always count. The health check also has to wait for the
 * machines: it stays raised for some minutes after one was replaced.
 */
function tooNew(alarm: MetricAlarm, machines: Instance[], now: number): boolean {
  if (isStatusCheck(alarm)) return false;
  if (isNew(alarm.AlarmConfigurationUpdatedTimestamp, now)) return true;
  return (
    alarm.MetricName === "HealthCheckStatus" && machines.some(({ LaunchTime }) => isNew(LaunchTime, now))
  );
}

const isStatusCheck = ({ MetricName = "" }: MetricAlarm) => MetricName.startsWith("StatusCheckFailed");

const isAbout = ({ Dimensions = [] }: MetricAlarm, { InstanceId }: Instance) =>
  Dimensions.some(({ Value }) => Value === InstanceId);

/** That each machine has its alarms, and that none is raised. */
/** The alarm of the edge's health check. Earlier versions gave it a fixed name. */
const isHealth = ({ AlarmName = "" }: MetricAlarm, stack: string) =>
  AlarmName === `mcp-edge-${stack}-health` || AlarmName.startsWith(`mcp-edge-${stack}-alarm-health-`);

export const alarms: AwsCheck = {
  id: "alarms",
  title: "Alarms",
  about: "stack",
  tried: ({ settings }) => `cloudwatch:DescribeAlarms mcp-edge-${settings.stack}`,
  async run({ aws, settings: { stack }, machines = [] }) {
    const { MetricAlarms = [] } = await aws.cloudwatch.send(
      // The names of a second machine continue with a dot (infra/aws/machine-names.ts).
      new DescribeAlarmsCommand({ AlarmNamePrefix: `mcp-edge-${stack}`, MaxRecords: 100 }),
    );
    // Alarms of the stack `prod-2` begin like those of `prod`: only the dimension says whose an alarm is.
    const own = MetricAlarms.filter(
      (alarm) => isHealth(alarm, stack) || machines.some((machine) => isAbout(alarm, machine)),
    );
    const raised = own.filter(({ StateValue }) => StateValue === "ALARM");
    const now = Date.now();
    failOn([
      ...machines
        .filter((machine) => !own.some((alarm) => isStatusCheck(alarm) && isAbout(alarm, machine)))
        .map(({ InstanceId }) => `${InstanceId} has no alarm on its status checks`),
      ...raised
        .filter((alarm) => !tooNew(alarm, machines, now))
        .map(({ AlarmName, StateReason }) => `${AlarmName}: ${StateReason}`),
    ]);
    const early = raised.map(({ AlarmName }) => AlarmName).join(", ");
    return `${own.length}, none of them raised${early ? `; too new to count: ${early}` : ""}`;
  },
  fix: () => "RUNBOOK.md says what each alarm means",
};
