import type { AwsCheck } from "../check.ts";
import { alarms } from "./alarms.ts";
import { bucket } from "./bucket.ts";
import { converged } from "./converged.ts";
import { firewall } from "./firewall.ts";
import { forwarding } from "./forwarding.ts";
import { identity } from "./identity.ts";
import { image, parameter } from "./image.ts";
import { instanceType } from "./instance-type.ts";
import { machines } from "./machines.ts";
import { volumes } from "./volumes.ts";
import { zone } from "./zone.ts";

/** The checks of `doctor --aws`, in the order of the report. The first one must pass before the others are tried. */
export const AWS_CHECKS: readonly AwsCheck[] = [
  identity,
  parameter,
  image,
  instanceType,
  zone,
  machines,
  volumes,
  firewall,
  forwarding,
  alarms,
  bucket,
  converged,
];
