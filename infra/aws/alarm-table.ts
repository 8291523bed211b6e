import { isBurstable } from "../instance-types.ts";
import { METRICS_NAMESPACE } from "./identity-policy.ts";

/** An alarm of one machine as plain data. Pure. */
export interface AlarmSpec {
  name: string;
  description: string;
  namespace: string;
  metricName: string;
  statistic: "Maximum" | "Minimum" | "Average";
  comparisonOperator: "GreaterThanThreshold" | "LessThanThreshold";
  threshold: number;
  /** Seconds. */
  period: number;
  evaluationPeriods: number;
  treatMissingData: "breaching" | "notBreaching" | "missing";
  /** EC2's own reaction. */
  action?: "recover" | "reboot";
}

/** An alarm on a metric that must not exceed the threshold, with the defaults that most alarms share. */
const alarm = (
  spec: Pick<AlarmSpec, "name" | "description" | "metricName" | "threshold"> & Partial<AlarmSpec>,
): AlarmSpec => ({
  namespace: METRICS_NAMESPACE,
  statistic: "Maximum",
  comparisonOperator: "GreaterThanThreshold",
  period: 300,
  evaluationPeriods: 2,
  treatMissingData: "missing",
  ...spec,
});

const ofEc2 = { namespace: "AWS/EC2", threshold: 0 };

/** EC2's status checks. If the host fails, the machine starts on another one with the same id and addresses. */
const STATUS: AlarmSpec[] = [
  alarm({
    ...ofEc2,
    name: "host",
    description: "EC2's host is impaired; EC2 moves the machine to another one",
    metricName: "StatusCheckFailed_System",
    period: 60,
    action: "recover",
  }),
  alarm({
    ...ofEc2,
    name: "system",
    description: "The operating system does not answer; EC2 starts it again",
    metricName: "StatusCheckFailed_Instance",
    period: 60,
    evaluationPeriods: 3,
    action: "reboot",
  }),
];

const LIFE = {
  metricName: "CertificateLifeFraction",
  statistic: "Minimum",
  comparisonOperator: "LessThanThreshold",
  period: 3600,
  evaluationPeriods: 1,
} as const;

const CREDITS = alarm({
  ...ofEc2,
  name: "cpu-credits",
  description:
    "The machine has used more CPU for a day than its type includes, and AWS charges for it; take a larger instanceType",
  // In unlimited mode: spent beyond what is earned in 24 hours, 0.04 (T4g) or 0.05 USD a vCPU-hour.
  metricName: "CPUSurplusCreditsCharged",
  period: 3600,
  evaluationPeriods: 1,
});

/** The metrics that the machine reports once a minute (cloud-init/deploy/mcp-edge-metrics). */
const OWN: AlarmSpec[] = [
  alarm({
    name: "memory",
    description: "More than 90 % of the memory is in use",
    metricName: "MemoryUsedPercent",
    threshold: 90,
    // Missing data means that the machine reports nothing at all.
    treatMissingData: "breaching",
  }),
  alarm({
    name: "root-disk",
    description: "The root volume is over 85 % full",
    metricName: "RootUsedPercent",
    threshold: 85,
  }),
  alarm({
    name: "data-disk",
    description: "The data volume is over 85 % full; raise dataVolumeSize",
    metricName: "DataUsedPercent",
    threshold: 85,
  }),
  alarm({
    name: "flows",
    description:
      "The table of tracked flows is over 80 % full; a full one drops every new connection (RUNBOOK.md)",
    metricName: "TrackedFlowsPercent",
    threshold: 80,
    evaluationPeriods: 1,
  }),
  alarm({
    name: "failed-units",
    description:
      "A unit of the machine has failed, or a certificate could not be obtained or installed: systemctl --failed",
    metricName: "FailedUnits",
    threshold: 0,
    evaluationPeriods: 3,
  }),
  alarm({
    name: "patches",
    // Updates are installed once a day, and reboots happen once a night.
    description: "Security updates or a reboot have been waiting for two days (RUNBOOK.md)",
    metricName: "PatchesWaiting",
    statistic: "Minimum",
    threshold: 0,
    period: 3600,
    evaluationPeriods: 48,
  }),
  alarm({
    name: "certificate",
    ...LIFE,
    // Fractions, because lifetimes range from 6 to 90 days. A renewal is due when a third is left (a half of a short one), and the ACME
    // server may ask for it as late as at 0.31, so at 0.3 renewals have failed for days, or of a short one for a day.
    description: "Less than 30 % of the certificate's life is left: renewals fail (RUNBOOK.md)",
    threshold: 0.3,
  }),
  alarm({
    name: "certificate-ends",
    ...LIFE,
    description:
      "Less than a sixth of the certificate's life is left. When it ends, no client connects (RUNBOOK.md)",
    threshold: 1 / 6,
  }),
];

/** Alarms on what only a machine with a data volume has. */
const OF_SERVER = new Set(["DataUsedPercent", "CertificateLifeFraction"]);

/** What a machine does: `server` serves requests, `forwarder` is an edge that only forwards packets. */
export type Duty = "server" | "forwarder";

/** The alarms on the metrics that a machine reports itself. */
const ownAlarms = (duty: Duty): AlarmSpec[] =>
  duty === "server" ? OWN : OWN.filter(({ metricName }) => !OF_SERVER.has(metricName));

/** @returns the alarms of a machine of this type */
export function alarmsOf(level: "basic" | "full", instanceType: string, duty: Duty): AlarmSpec[] {
  if (level === "basic") return STATUS;
  return [...STATUS, ...(isBurstable(instanceType) ? [CREDITS] : []), ...ownAlarms(duty)];
}

/** The number of metrics that a machine reports itself. Two alarms may be about one of them. */
export const ownMetrics = (duty: Duty): number =>
  new Set(ownAlarms(duty).map(({ metricName }) => metricName)).size;
