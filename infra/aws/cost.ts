import type { AwsSettings } from "../settings.ts";
import { alarmsOf, type Duty, ownMetrics } from "./alarm-table.ts";
import { opensToWorld } from "./firewall-rules.ts";

/**
 * Prices in USD of us-east-1 at the given date. They are not fetched, so they are an estimate to check against AWS's price list
 * (https://calculator.aws). Taxes and the free tier do not count.
 */
export const PRICES = {
  date: "2026-11-21",
  region: "us-east-1",
  /** USD an hour, Linux on demand. */
  instance: {
    "t4g.micro": 0.0084,
    "t4g.small": 0.0168,
    "t4g.medium": 0.0336,
    "t4g.large": 0.0672,
    "t3.micro": 0.0104,
    "t3.small": 0.0208,
    "t3.medium": 0.0416,
    "t3.large": 0.0832,
    "m7g.medium": 0.0408,
    "m7g.large": 0.0816,
    "c7g.medium": 0.0363,
    "c7g.large": 0.0725,
  } as Record<string, number>,
  ipv4Hour: 0.005,
  gp3GibMonth: 0.08,
  snapshotGibMonth: 0.05,
  zoneMonth: 0.5,
  /** 0.50 for an endpoint in AWS, and 1.00 for HTTPS. */
  healthCheckMonth: 1.5,
  alarmMonth: 0.1,
  metricMonth: 0.3,
  logsGb: 0.53,
  s3GbMonth: 0.023,
  s3Gets1000: 0.0004,
  egressGb: 0.09,
} as const;

const HOURS = 730;

/** What each machine of a stack does. */
const dutiesOf = ({ edge, machines }: Pick<AwsSettings, "edge" | "machines">): Duty[] =>
  edge === "passthrough" ? ["forwarder", "server"] : Array.from({ length: machines }, () => "server");

type CostSettings = Pick<
  AwsSettings,
  | ("edge" | "machines" | "instanceType" | "rootVolumeSize" | "dataVolumeSize" | "backups")
  | ("zone" | "hostedZone" | "logs" | "alarms" | "allowedCidrs")
>;

export interface CostLine {
  item: string;
  /** USD a month; undefined if the table has no price. */
  usd: number | undefined;
  how: string;
}

export interface CostEstimate {
  lines: CostLine[];
  /** USD a month, of the lines whose price is known. */
  total: number;
  prices: string;
}

const times = (count: number) => (count === 1 ? "" : `${count} x `);

const cents = (usd: number) => Math.round(usd * 100) / 100;

/** The monthly cost of a stack without traffic, line by line. Pure. */
export function monthlyCost(settings: CostSettings): CostEstimate {
  const { instanceType } = settings;
  const hour = PRICES.instance[instanceType];
  const count = dutiesOf(settings).length;
  const each = times(count);
  /** Machines with a public address, and those with a data volume. The two are not the same with an edge that forwards packets. */
  const outside = settings.edge === "passthrough" ? 1 : count;
  const servers = dutiesOf(settings).filter((duty) => duty === "server").length;
  const lines: CostLine[] = [
    {
      item: `machine ${instanceType}`,
      usd: hour === undefined ? undefined : count * hour * HOURS,
      how:
        hour === undefined
          ? "price not known here: https://aws.amazon.com/ec2/pricing"
          : `${each}${HOURS} h x ${hour}`,
    },
    {
      item: "public IPv4 address",
      usd: outside * PRICES.ipv4Hour * HOURS,
      how: `${times(outside)}${HOURS} h x ${PRICES.ipv4Hour}`,
    },
    volume("root volume", settings.rootVolumeSize, count),
    volume("data volume", settings.dataVolumeSize, servers),
    ...(settings.backups > 0
      ? [
          {
            item: "snapshots",
            usd: servers * settings.dataVolumeSize * PRICES.snapshotGibMonth,
            how: `${times(servers)}${settings.dataVolumeSize} GiB x ${PRICES.snapshotGibMonth}, when the volume is full; changes come on top`,
          },
        ]
      : []),
    // One request every ten seconds for each machine.
    {
      item: "bucket",
      usd: 2 * PRICES.s3GbMonth + (count * HOURS * 360 * PRICES.s3Gets1000) / 1000,
      how: `2 GB of releases, ${each}${HOURS * 360} requests`,
    },
    ...alarmLines(settings),
  ];
  if (settings.zone && settings.hostedZone === "create") {
    lines.push({ item: "hosted zone", usd: PRICES.zoneMonth, how: `1 x ${PRICES.zoneMonth}` });
  }
  if (settings.logs === "cloudwatch") {
    lines.push({ item: "logs", usd: count * PRICES.logsGb, how: `${each}1 GB x ${PRICES.logsGb}` });
  }
  const rounded = lines.map((line) => ({
    ...line,
    usd: line.usd === undefined ? undefined : cents(line.usd),
  }));
  return {
    lines: rounded,
    total: cents(sum(rounded.map(({ usd }) => usd ?? 0))),
    prices: `USD a month, prices of ${PRICES.region} on ${PRICES.date}; traffic to the world ${PRICES.egressGb} USD/GB`,
  };
}

function volume(item: string, gib: number, count: number): CostLine {
  const how = `${times(count)}${gib} GiB x ${PRICES.gp3GibMonth}`;
  return { item, usd: count * gib * PRICES.gp3GibMonth, how };
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);

function alarmLines(settings: CostSettings): CostLine[] {
  const { alarms, instanceType, allowedCidrs } = settings;
  const duties = dutiesOf(settings);
  const health = alarms === "full" && opensToWorld(allowedCidrs);
  const number = sum(duties.map((duty) => alarmsOf(alarms, instanceType, duty).length)) + (health ? 1 : 0);
  const lines: CostLine[] = [
    { item: "alarms", usd: number * PRICES.alarmMonth, how: `${number} x ${PRICES.alarmMonth}` },
  ];
  if (alarms === "full") {
    const metrics = sum(duties.map(ownMetrics));
    lines.push({
      item: "metrics",
      usd: metrics * PRICES.metricMonth,
      how: `${metrics} x ${PRICES.metricMonth}`,
    });
  }
  if (health) {
    const usd = PRICES.healthCheckMonth;
    lines.push({ item: "health check", usd, how: `HTTPS, 1 x ${usd}` });
  }
  return lines;
}
