import { FILES } from "./file-table.ts";
import { renderFile } from "./render.ts";

/** What a machine on AWS must know before it can pull anything. */
export interface AwsSurroundings {
  /** The log group, and the path of the parameters without its last part `/env`, such as /mcp-edge/prod. */
  prefix: string;
  region: string;
  bucket: string;
  /** Id of the data volume; "": none. */
  volume: string;
  /** The machine only forwards packets: it pulls the files of the edge, and neither a release nor a secret. Default: false. */
  forwards?: boolean | undefined;
  /** For tests: base URL of another S3 and SSM than AWS's; "": AWS's own. */
  endpoint: string;
}

/** The files that the first boot needs before it has pulled the others. */
const BOOT: readonly string[] = [
  "/etc/systemd/system/mcp-edge-.service.d/sandbox.conf",
  "/etc/systemd/system/mcp-edge-pull.service",
  "/etc/systemd/system/mcp-edge-pull.timer",
  "/usr/local/lib/mcp-edge/archive.sh",
  "/usr/local/lib/mcp-edge/aws.sh",
  "/usr/local/lib/mcp-edge/boot.sh",
  "/usr/local/lib/mcp-edge/report.sh",
  "/usr/local/sbin/mcp-edge-data",
  "/usr/local/sbin/mcp-edge-pull",
];

/** /etc/mcp-edge/aws.env: read by our scripts as a shell file. Only user-data writes it: it differs from machine to machine. */
function awsEnv({ prefix, region, bucket, volume, forwards, endpoint }: AwsSurroundings): string {
  const values = {
    REGION: region,
    BUCKET: bucket,
    PREFIX: prefix,
    DATA_VOLUME: volume,
    ...(forwards ? { FORWARDS: "yes" } : {}),
    AWS_ENDPOINT_URL: endpoint,
    IMDS: "http://169.254.169.254",
  };
  for (const [key, value] of Object.entries(values)) {
    if (!/^[A-Za-z0-9./:_[\]-]*$/.test(value))
      throw new Error(`${key} is ${JSON.stringify(value)}: not fit for a file`);
  }
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value}'\n`)
    .join("");
}

/**
 * The cloud-init document of a machine on AWS. It holds only what is needed to mount the data volume and to pull the rest, so its size
 * does not grow with the machine's files, and it holds no secret. The files come by their hash from the bucket, as in each later
 * deployment.
 */
export function awsUserData(around: AwsSurroundings): string {
  const files = FILES.filter(({ path }) => BOOT.includes(path)).map(({ path, source, mode = "0644" }) => ({
    path,
    content: renderFile(String(source), {}),
    permissions: mode,
  }));
  files.push({ path: "/etc/mcp-edge/aws.env", content: awsEnv(around), permissions: "0644" });
  const document = { write_files: files, runcmd: [["/usr/local/sbin/mcp-edge-pull", "boot"]] };
  return `#cloud-config\n${JSON.stringify(document, null, 1)}\n`;
}
