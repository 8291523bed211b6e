import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Checkout, inMachine } from "./support.ts";

/** The machine's files of the version before NGINX ran in generations, without those that name the stack's authority and workspace. */
const FILES = join(import.meta.dirname, "files-before-generations.json.gz");
/** The host name in them. */
const DOMAIN = "deploys.mcp-edge.test";

/** Replaces the present files by those in former.json. The files that both have not, but for those that were left out, are removed. */
const REPLACE = `
import json, os, shutil
files = json.load(open("/srv/mcp-edge/incoming/former.json"))
paths = {file["path"] for file in files}
kept = ("/etc/letsencrypt/cli.ini", "/etc/mcp-edge/", "/usr/local/share/ca-certificates/")
for line in open("/usr/local/lib/mcp-edge/files.table"):
    path = line.split()[3]
    if path not in paths and not path.startswith(kept) and os.path.exists(path):
        os.unlink(path)
for file in files:
    os.makedirs(os.path.dirname(file["path"]), exist_ok=True)
    with open(file["path"], "w") as out:
        out.write(file["content"])
    os.chmod(file["path"], int(file["mode"], 8))
    shutil.chown(file["path"], "root", file.get("group", "root"))
`;

/** What runs then is that of the earlier version: one NGINX, in nginx.service itself. */
const GO_BACK = `set -e
  systemctl stop mcp-edge-nginx.timer nginx.service
  python3 -c "$0"
  rm -rf /srv/mcp-edge/incoming/former.json /run/nginx/* /var/lib/mcp-edge/files/MANIFEST
  systemctl daemon-reload; systemd-tmpfiles --create mcp-edge.conf; nft -f /etc/nftables.conf
  systemctl restart nginx.service fail2ban.service
  systemctl show -P MainPID nginx.service`;

/** Makes a machine one of the version before NGINX ran in generations. @returns the id of its NGINX */
export async function goBackToOneNginx(checkout: Checkout, stack: string, domain: string): Promise<string> {
  const text = gunzipSync(await readFile(FILES)).toString();
  const incoming = join(checkout.env.MCP_EDGE_HOME ?? "", "stacks", stack, "data/incoming");
  await writeFile(join(incoming, "former.json"), text.replaceAll(DOMAIN, domain));
  const { code, stdout, stderr } = await inMachine(checkout, stack, "bash", "-c", GO_BACK, REPLACE);
  if (code !== 0) throw new Error(`${stdout}${stderr}`);
  return stdout.trim();
}
