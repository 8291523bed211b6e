import { hostEnvironment } from "./main.ts";

/**
 * A command in an instance, as root: what `mcp-edge shell` does through AWS, which the double does not imitate.
 *
 *     AWS_DOUBLE_HOME=/tmp/cloud node test/aws-double/shell.ts i-0123 systemctl --failed
 */
hostEnvironment(process.env);
const { accountOf } = await import("./account.ts");
const { inGuest } = await import("../../infra/local/guest.ts");
const { guestOfInstance } = await import("./machine/instance.ts");

const [id = "", ...command] = process.argv.slice(2);
const every = Array.from({ length: 256 }, (_, code) => code);
const guest = guestOfInstance(accountOf(process.env).store.home, id);
const { code, stdout, stderr } = await inGuest(guest, command, { timeout: 120_000, accept: every });
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = code;
