import type { PolicyResource } from "@pulumi/policy";
import { refersTo } from "../known.ts";
import { about, type EdgePolicy, TYPE } from "../policy.ts";

/** Whether the alarm watches the instance's status checks and has an action. */
function watches(alarm: PolicyResource, instance: PolicyResource): boolean {
  if (!String(alarm.props.metricName).startsWith("StatusCheckFailed")) return false;
  if (alarm.props.actionsEnabled === false) return false;
  const sources = alarm.propertyDependencies.alarmActions ?? [];
  if (sources.length === 0 && !alarm.props.alarmActions?.length) return false;
  return refersTo(alarm, "dimensions", instance, ["id"], () => alarm.props.dimensions?.InstanceId);
}

export const machineAlarms: EdgePolicy = () => ({
  ...about({
    name: "machine-alarms",
    severity: "high",
    description: "Every machine has an alarm on its status checks, and the alarm has an action.",
    reason: "a machine whose host has failed cannot report it. The alarm moves the machine to another host.",
    fix: "Create an aws.cloudwatch.MetricAlarm on StatusCheckFailed_System with dimensions.InstanceId and alarmActions.",
  }),
  validateStack: ({ resources }, report) => {
    const alarms = resources.filter(({ type }) => type === TYPE.alarm);
    for (const instance of resources.filter(({ type }) => type === TYPE.instance)) {
      if (!alarms.some((alarm) => watches(alarm, instance))) {
        report(`${instance.name} has no alarm on its status checks`, instance.urn);
      }
    }
  },
});
