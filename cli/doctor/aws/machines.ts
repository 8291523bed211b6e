import { problemOf } from "../../../infra/policy/policies/open-ports.ts";
import { CheckFailure } from "../check.ts";
import { type AwsCheck, type Ec2Machine, stackFilters } from "./check.ts";
import { filters } from "./client.ts";
import type { Xml } from "./xml.ts";

const again = "pulumi up --refresh puts back what was changed by hand";

/** Throws when something is wrong. */
function demand(problems: string[]): void {
  if (problems.length > 0) throw new CheckFailure(problems.join("; "));
}

const machines: AwsCheck = {
  id: "machines",
  title: "Machines",
  about: "account",
  tried: ({ settings }) => `ec2:DescribeInstances with the tags of ${settings.stack}`,
  async run(context) {
    const answer = await context.aws.query("ec2", "DescribeInstances", filters(stackFilters(context)));
    const found = answer
      .all("reservationSet/item")
      .flatMap((reservation) => reservation.all("instancesSet/item"))
      .map(
        (item): Ec2Machine => ({
          id: item.get("instanceId"),
          state: item.get("instanceState/name"),
          instanceType: item.get("instanceType"),
          launched: Date.parse(item.get("launchTime")),
          httpTokens: item.get("metadataOptions/httpTokens"),
          hopLimit: Number(item.get("metadataOptions/httpPutResponseHopLimit")),
        }),
      )
      .filter(({ state }) => state !== "terminated" && state !== "shutting-down");
    context.machines = found;
    if (found.length === 0) return "none yet: pulumi up makes them";
    demand(
      found.flatMap(({ id, state, httpTokens, hopLimit }) => [
        ...(state === "running" ? [] : [`${id} is ${state}`]),
        ...(httpTokens === "required" ? [] : [`${id} answers IMDSv1 (httpTokens ${httpTokens})`]),
        ...(hopLimit === 1 ? [] : [`${id} has hop limit ${hopLimit}`]),
      ]),
    );
    return found.map(({ id, instanceType }) => `${id} (${instanceType})`).join(", ");
  },
  fix: () => again,
};

const volumes: AwsCheck = {
  id: "volumes",
  title: "Volumes",
  about: "stack",
  tried: ({ settings }) => `ec2:DescribeVolumes with the tags of ${settings.stack}`,
  async run(context) {
    const answer = await context.aws.query("ec2", "DescribeVolumes", filters(stackFilters(context)));
    const found = answer.all("volumeSet/item");
    const data = found.filter((item) => item.get("attachmentSet/item/device") === "/dev/sdf");
    const wanted = context.machines?.length ?? 0;
    demand([
      ...found
        .filter((item) => item.get("encrypted") !== "true")
        .map((item) => `${item.get("volumeId")} is not encrypted`),
      ...(data.length === wanted ? [] : [`${data.length} data volumes are attached, not ${wanted}`]),
    ]);
    return `${found.length}, encrypted, ${data.length} of them attached for data`;
  },
  fix: () => again,
};

const firewall: AwsCheck = {
  id: "firewall",
  title: "Security group rules",
  about: "stack",
  tried: ({ settings }) => `ec2:DescribeSecurityGroupRules with the tags of ${settings.stack}`,
  async run(context) {
    const answer = await context.aws.query(
      "ec2",
      "DescribeSecurityGroupRules",
      filters(stackFilters(context)),
    );
    const rules = answer
      .all("securityGroupRuleSet/item")
      .filter((item) => item.get("isEgress") === "false")
      .map((item) => ({
        protocol: item.get("ipProtocol"),
        from: item.get("fromPort"),
        to: item.get("toPort"),
        cidrs: [item.get("cidrIpv4"), item.get("cidrIpv6")].filter(Boolean),
      }));
    const sources = (protocol: string) =>
      rules.filter((rule) => rule.protocol === protocol && rule.from === "443").flatMap(({ cidrs }) => cidrs);
    const [tcp, udp] = [sources("tcp"), sources("udp")];
    demand([
      ...rules.flatMap((rule) => problemOf(rule) ?? []),
      ...tcp.filter((cidr) => !udp.includes(cidr)).map((cidr) => `${cidr} reaches TCP 443 and not UDP 443`),
      ...(tcp.length > 0 ? [] : ["nobody reaches port 443"]),
    ]);
    return `TCP and UDP 443 from ${tcp.join(", ")}`;
  },
  fix: () => again,
};

/**
 * Minutes after it was put in which an alarm says more about its age than about the machine: nothing has been measured, and what
 * is missing may count as bad. A new machine has its metrics in five, a health check of Route 53 its first verdict in ten.
 */
const NEW_ALARM_MINUTES = 20;

/**
 * The status checks of EC2 have no such time: what they find is found by EC2. The health check looks at the machines: it was
 * right while one was replaced, and says so for some minutes more.
 */
function isNew(alarm: Xml, machines: Ec2Machine[], now: number): boolean {
  const metric = alarm.get("MetricName");
  const young = (at: number) => now - at < NEW_ALARM_MINUTES * 60_000;
  if (metric.startsWith("StatusCheckFailed")) return false;
  if (young(Date.parse(alarm.get("AlarmConfigurationUpdatedTimestamp")))) return true;
  return metric === "HealthCheckStatus" && machines.some(({ launched }) => young(launched));
}

const alarms: AwsCheck = {
  id: "alarms",
  title: "Alarms",
  about: "stack",
  tried: ({ settings }) => `cloudwatch:DescribeAlarms mcp-edge-${settings.stack}`,
  async run({ aws, settings, machines: found = [] }) {
    const answer = await aws.query("monitoring", "DescribeAlarms", {
      // The second machine's names go on with a dot (infra/aws/machine-names.ts).
      AlarmNamePrefix: `mcp-edge-${settings.stack}`,
      MaxRecords: "100",
    });
    // Alarms of the stack `prod-2` begin like those of `prod`; a machine and a health check have them by their names and ids.
    const ids = new Set(found.map(({ id }) => id));
    const all = answer
      .all("DescribeAlarmsResult/MetricAlarms/member")
      .filter(
        (alarm) =>
          alarm.get("AlarmName") === `mcp-edge-${settings.stack}-health` ||
          alarm.all("Dimensions/member").some((dimension) => ids.has(dimension.get("Value"))),
      );
    const of = ({ id }: Ec2Machine) =>
      all.filter((alarm) =>
        alarm.all("Dimensions/member").some((dimension) => dimension.get("Value") === id),
      );
    const raised = all.filter((alarm) => alarm.get("StateValue") === "ALARM");
    const now = Date.now();
    const early = raised.filter((alarm) => isNew(alarm, found, now)).map((alarm) => alarm.get("AlarmName"));
    demand([
      ...found
        .filter(
          (machine) => !of(machine).some((alarm) => alarm.get("MetricName").startsWith("StatusCheckFailed")),
        )
        .map(({ id }) => `${id} has no alarm of its status checks`),
      ...raised
        .filter((alarm) => !isNew(alarm, found, now))
        .map((alarm) => `${alarm.get("AlarmName")}: ${alarm.get("StateReason")}`),
    ]);
    const note = early.length > 0 ? `; too new to count: ${early.join(", ")}` : "";
    return `${all.length}, none of them raised${note}`;
  },
  fix: () => "RUNBOOK.md says what each alarm means",
};

export const MACHINE_CHECKS: readonly AwsCheck[] = [machines, volumes, firewall, alarms];
