import type { Account } from "../kind.ts";
import { firstState } from "../services/alarm-state.ts";
import { ALARM } from "../services/cloudwatch.ts";
import { object, type Props, text } from "../values.ts";

/** Alarms after their first evaluation by CloudWatch, as JSON. */
export const alarms = (asked: Props, aws: Account): Props => ({
  MetricAlarms: aws.store
    .all(ALARM)
    .filter(({ id }) => id.startsWith(text(asked, "AlarmNamePrefix")))
    .map((alarm) => {
      const { token, id, inputs } = alarm;
      const { value, reason } = firstState(alarm, aws);
      return {
        AlarmName: id,
        MetricName: text(inputs, "metricName"),
        StateValue: value,
        StateReason: reason,
        AlarmConfigurationUpdatedTimestamp: aws.store.changed(token, id).getTime() / 1000,
        Dimensions: Object.entries(object(inputs, "dimensions")).map(([Name, Value]) => ({
          Name,
          Value: String(Value),
        })),
      };
    }),
});
