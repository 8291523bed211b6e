import type { Account } from "../kind.ts";
import type { Stored } from "../store.ts";
import { number, object, text } from "../values.ts";

/**
 * The state of a new alarm after CloudWatch's first evaluation. There is no data yet, so
 * `treatMissingData` decides (CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data"). Metrics that EC2
 * itself writes from the first minute on are known here.
 */
export interface AlarmState {
  value: "OK" | "ALARM" | "INSUFFICIENT_DATA";
  reason: string;
}

const INSTANCE = "aws:ec2/instance:Instance";

/** EC2's own metrics of a machine in its first minutes. */
function firstValue(alarm: Stored, aws: Account): number | undefined {
  const { inputs } = alarm;
  if (inputs.namespace !== "AWS/EC2") return undefined;
  const machine = aws.store.get(INSTANCE, text(object(inputs, "dimensions"), "InstanceId"));
  const credits = text(object(machine?.inputs ?? {}, "creditSpecification"), "cpuCredits");
  switch (inputs.metricName) {
    // "T4g, T3a and T3 instances do not receive launch credits" (EC2 user guide, "Standard mode").
    case "CPUCreditBalance":
      return machine ? 0 : undefined;
    case "CPUSurplusCreditsCharged":
      return machine && credits !== "standard" ? 0 : undefined;
    case "StatusCheckFailed_System":
    case "StatusCheckFailed_Instance":
      return machine ? 0 : undefined;
    default:
      return undefined;
  }
}

const COMPARE: Record<string, [(value: number, threshold: number) => boolean, string]> = {
  GreaterThanThreshold: [(value, threshold) => value > threshold, "greater than"],
  GreaterThanOrEqualToThreshold: [(value, threshold) => value >= threshold, "greater than or equal to"],
  LessThanThreshold: [(value, threshold) => value < threshold, "less than"],
  LessThanOrEqualToThreshold: [(value, threshold) => value <= threshold, "less than or equal to"],
};

export function firstState(alarm: Stored, aws: Account): AlarmState {
  const { inputs } = alarm;
  const value = firstValue(alarm, aws);
  const threshold = number(inputs, "threshold") ?? 0;
  const periods = number(inputs, "evaluationPeriods") ?? 1;
  if (value !== undefined) {
    const [crosses, words] = COMPARE[text(inputs, "comparisonOperator")] ?? [() => false, ""];
    const crossed = crosses(value, threshold);
    const how = `Threshold Crossed: ${periods} datapoint(s) [${value}.0] were ${crossed ? "" : "not "}${words} the threshold (${threshold}.0).`;
    return { value: crossed ? "ALARM" : "OK", reason: how };
  }
  const treat = text(inputs, "treatMissingData") || "missing";
  const none = `no datapoints were received for ${periods} period(s) and ${periods} missing datapoint(s) were treated as`;
  if (treat === "breaching") return { value: "ALARM", reason: `Threshold Crossed: ${none} [Breaching].` };
  if (treat === "notBreaching") return { value: "OK", reason: `Threshold Crossed: ${none} [NonBreaching].` };
  return { value: "INSUFFICIENT_DATA", reason: `Insufficient Data: ${periods} datapoints were unknown.` };
}
