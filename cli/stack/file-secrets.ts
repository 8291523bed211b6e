import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { stringify } from "yaml";
import { home } from "../../infra/paths.ts";
import { NAMESPACE } from "../../infra/settings.ts";
import { passphraseFile } from "./passphrase.ts";
import { encryptionOf, pick, type StackFile, secretsOf } from "./team.ts";

const PASSPHRASE = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"];

/**
 * The encrypted values of the file of a stack on this host, decrypted as `pulumi` does: with the passphrase of the user's environment, or
 * the key service that the file names. Without a passphrase there, with the one of this checkout.
 *
 * @param environment the user's, with the engine on PATH
 * @returns by full key; structured values as JSON
 * @throws Error with the commands to run when they cannot be decrypted
 */
export async function fileSecrets(
  stack: string,
  file: StackFile,
  environment: Record<string, string | undefined>,
): Promise<Record<string, string>> {
  const secrets = secretsOf(file);
  if (Object.keys(secrets).length === 0) return {};
  const encryption = encryptionOf(file);
  if (Object.keys(encryption).length === 0)
    throw new Error(
      refusal(
        stack,
        Object.keys(secrets),
        "They were encrypted by Pulumi Cloud, which a stack on this host does not use.",
      ),
    );
  const given = pick(environment, ...PASSPHRASE);
  const folder = await mkdtemp(join(home, "decrypt-"));
  try {
    // A project and a backend of their own: nothing changes the user's, or this checkout's.
    await writeFile(join(folder, "Pulumi.yaml"), stringify({ name: "mcp-edge", runtime: "nodejs" }));
    await writeFile(join(folder, `Pulumi.${stack}.yaml`), stringify({ ...encryption, config: secrets }));
    const envVars = {
      ...pick(environment, "PATH", "PULUMI_HOME"),
      ...(Object.keys(given).length > 0 ? given : { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile }),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const workspace = await LocalWorkspace.create({ workDir: folder, envVars });
    await workspace.createStack(stack);
    const config = await workspace.getAllConfig(stack);
    return Object.fromEntries(Object.entries(config).map(([key, { value }]) => [key, value]));
  } catch (error) {
    const { message } = error as Error;
    const why = /passphrase/.test(message)
      ? `Set the passphrase with which they were encrypted, in PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE${Object.keys(given).length > 0 ? ": what is there is another one" : ""}.`
      : message;
    throw new Error(refusal(stack, Object.keys(secrets), why));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refusal(stack: string, keys: string[], why: string): string {
  const [key = ""] = keys;
  const of = stack === "local" ? "" : `--stack ${stack} `;
  return [
    `Pulumi.${stack}.yaml has encrypted values that cannot be decrypted here: ${keys.join(", ")}. ${why}`,
    `Or keep them out of the file: pulumi config rm ${key} --stack ${stack}`,
    `Then take the value from a file, which \`up\` encrypts: npm run up -- ${of}--set ${key.slice(NAMESPACE.length + 1)}=@FILE`,
  ].join("\n");
}
