import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { credentialFile } from "../../infra/workspace-credentials.ts";
import { DebianRoot, whyNot } from "./debian-root.ts";
import { SETTINGS } from "./fixture.ts";

const reason = whyNot();
if (reason !== undefined) {
  test(`mcp-edge-workspace cannot run here: ${reason}`, () => {
    expect(process.env.CI).not.toBe("true");
  });
} else {
  describe("a private repository on real servers on loopback", privateWorkspace);
}

function privateWorkspace() {
  const HTTPS = "https://git.example.com:8443/code.git";
  const SSH = "ssh://keeper@git.example.com:2222/srv/private/code.git";
  const TOKEN = "t0ken-of-the-test";
  const basic = Buffer.from(`bot:${TOKEN}`).toString("base64");
  let root: DebianRoot;
  let key: string;
  let hostKey: string;
  const git = "git -c user.name=t -c user.email=t@example.com -c safe.directory='*'";
  const read = (path: string) => readFileSync(join(root.folder, "upper", path), "utf8");

  /** Both servers, and a watcher of all processes' arguments and environments. Each run has its own network. */
  const SERVERS = `
    ip link set lo up
    mkdir -p /run/sshd
    : >/fixture/shown; : >/fixture/rounds
    python3 -I /fixture/git-server.py /fixture/wanted /fixture/tls.crt /fixture/tls.key /fixture/seen /fixture/rounds &
    /usr/sbin/sshd -f /dev/null -o Port=2222 -o ListenAddress=127.0.0.1 -o HostKey=/fixture/host -o UsePAM=no \\
      -o StrictModes=no -o AuthorizedKeysFile=/fixture/authorized -o PasswordAuthentication=no -E /fixture/sshd.log
    for port in 8443 2222; do until (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.05; done; done
    while :; do
      cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' >>/fixture/shown
      echo >>/fixture/rounds; sleep 0.02
    done &
  `;
  /** Runs the script as its unit does, with the credential where systemd puts it. */
  const sync = (workspace: string, credential: string) => {
    root.write("/fixture/credential", credential, 0o600);
    return root.sh(`${SERVERS}
      install -d -m 0500 -o mcp-edge -g mcp-edge /run/credentials
      install -m 0400 -o mcp-edge -g mcp-edge /fixture/credential /run/credentials/workspace
      umask 027
      setpriv --reuid=mcp-edge --regid=mcp-edge --clear-groups env CREDENTIALS_DIRECTORY=/run/credentials \\
        WORKSPACE='${workspace}' WORKSPACE_NAME=code mcp-edge-workspace
    `);
  };
  const copied = async () => (await root.sh("cat /srv/mcp-edge/workspace/code/a.txt")).output;
  const commit = (text: string) =>
    root.sh(
      `cd /srv/work && echo ${text} >a.txt && ${git} add -A && ${git} commit -qm ${text} && ${git} push -q /srv/private/code.git HEAD:main`,
    );
  /** Expects that no file outside of the fixture has a secret. */
  const nowhere = async (...secrets: string[]) => {
    for (const secret of secrets) {
      const found = await root.sh(
        `grep -rlF -e '${secret}' /etc /home /root /run /srv /tmp /usr/local /var 2>/dev/null; grep -cF -e '${secret}' /fixture/shown`,
      );
      expect([secret.slice(0, 12), found.output]).toEqual([secret.slice(0, 12), "0"]);
    }
  };

  beforeAll(async () => {
    root = await DebianRoot.create(machineFiles({ ...SETTINGS, workspace: HTTPS }));
    root.write("/fixture/git-server.py", readFileSync(join(import.meta.dirname, "git-server.py"), "utf8"));
    root.write("/fixture/wanted", `Basic ${basic}`, 0o600);
    const made = await root.sh(`set -e
      chmod 0711 /fixture
      echo 127.0.0.1 git.example.com >>/etc/hosts
      git init -q --bare -b main /srv/private/code.git
      git init -q -b main /srv/work
      useradd --create-home --shell /bin/sh keeper && usermod -p '*' keeper
      ssh-keygen -q -t ed25519 -N '' -f /fixture/host
      ssh-keygen -q -t ed25519 -N '' -f /fixture/deploy
      cp /fixture/deploy.pub /fixture/authorized && chmod 644 /fixture/authorized
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout /fixture/tls.key -out /fixture/tls.crt \\
        -subj /CN=git.example.com -addext subjectAltName=DNS:git.example.com 2>/dev/null
      cp /fixture/tls.crt /usr/local/share/ca-certificates/fixture.crt
      update-ca-certificates >/dev/null 2>&1
      chown -R keeper: /srv/private
      git config --system safe.directory '*'
    `);
    expect(made).toEqual({ code: 0, output: "" });
    key = read("/fixture/deploy");
    hostKey = read("/fixture/host.pub").split(" ").slice(0, 2).join(" ");
    await commit("one");
  }, 600_000);
  afterAll(() => root?.remove());

  test("is cloned and followed by https with a token, which is written nowhere", async () => {
    const credential = credentialFile({
      workspaceCredentials: { user: "bot", token: TOKEN },
      workspace: HTTPS,
    });
    const first = await sync(HTTPS, credential);
    expect([first.code, first.output]).toEqual([0, expect.stringContaining("new clone at")]);
    await commit("two");
    expect((await sync(HTTPS, credential)).code).toBe(0);
    expect(await copied()).toBe("two");
    expect(read("/fixture/seen")).toContain(`Basic ${basic}`);
    expect(read("/fixture/shown")).toMatch(/git-remote-https|fetch --quiet/);
    await nowhere(TOKEN, basic);
  });

  test.each([
    [
      "a wrong token",
      () => credentialFile({ workspaceCredentials: { user: "bot", token: "wrong-t0ken" }, workspace: HTTPS }),
    ],
    [
      "the token of another host",
      () =>
        credentialFile({
          workspaceCredentials: { user: "bot", token: TOKEN },
          workspace: "https://other.example.com/x",
        }),
    ],
    ["no credential", () => "[credential]"],
  ])("is refused at once by https with %s, and the last good copy stays", async (_, credential) => {
    await commit("three");
    const { code, output } = await sync(HTTPS, credential());
    expect([code, output]).toEqual([1, expect.stringContaining("the last good copy stays")]);
    expect(output).not.toMatch(/t0ken|Basic/);
    expect(await copied()).toBe("two");
  });

  test("is followed by ssh with a deploy key and the host's key, and the key is written nowhere", async () => {
    const knownHosts = `[git.example.com]:2222 ${hostKey}\n`;
    const { code, output } = await sync(
      SSH,
      credentialFile({ workspaceCredentials: { key, knownHosts }, workspace: SSH }),
    );
    expect([code, output]).toEqual([0, expect.stringMatching(/[0-9a-f]{12} -> [0-9a-f]{12}/)]);
    expect(await copied()).toBe("three");
    await nowhere(key.split("\n")[1] ?? "");
  });

  test.each([
    [
      "another host's key",
      () => ({
        key,
        knownHosts: `[git.example.com]:2222 ${read("/fixture/deploy.pub").split(" ").slice(0, 2).join(" ")}\n`,
      }),
      "Host key verification failed",
    ],
    [
      "no key of this host",
      () => ({ key, knownHosts: `other.example.com ${hostKey}\n` }),
      "Host key verification failed",
    ],
    [
      "a key that is not the server's",
      () => ({ key: read("/fixture/host"), knownHosts: `[git.example.com]:2222 ${hostKey}\n` }),
      "Permission denied",
    ],
  ])("is refused at once by ssh with %s, and the last good copy stays", async (_, credentials, words) => {
    const { code, output } = await sync(
      SSH,
      credentialFile({ workspaceCredentials: credentials(), workspace: SSH }),
    );
    expect([code, output]).toEqual([1, expect.stringContaining(words)]);
    expect(output).toContain("the last good copy stays");
  });
}
