import type { Settings } from "../../infra/settings.ts";

/** A server as its clients see it. */
export interface ConnectTarget {
  stack: string;
  url: string;
  /** PEM file of its certificate's roots; undefined: every client trusts them. */
  rootsFile?: string;
  /** The setting `auth`. Default: `token`. */
  auth?: Settings["auth"];
  /** The setting `tokenDomain`: a second host name, for tokens alone. "": none. */
  tokenDomain?: string;
}

/** Ready-to-paste ways to connect a client. */
export interface Connection {
  client: string;
  text: string;
}

/**
 * @param token the secret, or undefined when it was shown before: then the lines name the variable MCP_EDGE_TOKEN
 */
export function connections(target: ConnectTarget, token: string | undefined): Connection[] {
  const { rootsFile, stack, auth = "token" } = target;
  const signIn = auth === "oauth" || auth === "jwt";
  const url = signIn ? tokenUrl(target) : target.url;
  const trust = rootsFile ? `NODE_EXTRA_CA_CERTS=${rootsFile} ` : "";
  const bearer = `Bearer ${token ?? "$MCP_EDGE_TOKEN"}`;
  const name = stack === "local" ? "mcp-edge" : `mcp-edge-${stack}`;
  const open = auth === "none";
  const withHeaders = open ? {} : { headers: { Authorization: bearer } };
  const vscode = JSON.stringify({ name, type: "http", url, ...withHeaders });
  const cursor = JSON.stringify({ mcpServers: { [name]: { url, ...withHeaders } } }, null, 2);
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  const quoted = token || open ? `'${vscode}'` : `"${vscode.replaceAll('"', '\\"')}"`;
  return [
    ...(signIn
      ? [
          {
            client: "Clients that sign in, such as Claude.ai and ChatGPT",
            text: `${target.url}   (the steps for each client: ${new URL("/", target.url)})`,
          },
        ]
      : []),
    {
      client: `Claude Code${signIn ? ", with a token" : ""}`,
      text: `${trust}claude mcp add --transport http ${name} ${url}${open ? "" : ` --header "Authorization: ${bearer}"`}`,
    },
    {
      client: "VS Code",
      text: `${trust}code --add-mcp ${quoted}`,
    },
    {
      client: `Cursor (~/.cursor/mcp.json${rootsFile ? "; start it with NODE_EXTRA_CA_CERTS as above" : ""})`,
      text: cursor,
    },
    {
      client: "curl",
      text:
        `curl ${rootsFile ? `--cacert ${rootsFile} ` : ""}${url} ${open ? "" : `-H "Authorization: ${bearer}" `}-H 'Content-Type: application/json' ` +
        `-H 'Accept: application/json, text/event-stream' -d '${call}'`,
    },
    ...(rootsFile ? privateRoots(rootsFile, stack) : []),
  ];
}

/** Where tokens go if clients sign in: Cursor and Claude Code ignore a pasted token where they find OAuth, and there is none here. */
const tokenUrl = ({ url, tokenDomain }: ConnectTarget) =>
  tokenDomain ? `https://${tokenDomain}/mcp` : `${url}/token`;

/**
 * How clients outside Node come to trust roots that no system knows. SSL_CERT_FILE (OpenSSL, Go on Linux, rustls-native-certs) replaces
 * the system's roots, so it gets both.
 */
function privateRoots(rootsFile: string, stack: string): Connection[] {
  const bundle = `~/mcp-edge-${stack}-roots.pem`;
  const store = `~/mcp-edge-${stack}-roots.p12`;
  return [
    {
      client: "Clients in Python, Go and Rust (on macOS Go takes the keychain instead)",
      text:
        `cat /etc/ssl/cert.pem /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/cert.pem ${rootsFile} 2>/dev/null > ${bundle}\n` +
        `export SSL_CERT_FILE=${bundle} REQUESTS_CA_BUNDLE=${bundle}`,
    },
    {
      client: "Clients in Java (a trust store of this certificate authority alone)",
      text:
        `keytool -importcert -noprompt -alias mcp-edge -file ${rootsFile} -storetype PKCS12 -keystore ${store} -storepass changeit\n` +
        `export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$HOME/${store.slice(2)} -Djavax.net.ssl.trustStorePassword=changeit"`,
    },
  ];
}

export function connectText(target: ConnectTarget, token: string | undefined): string {
  return connections(target, token)
    .map(({ client, text }) => `${client}:\n${text.replace(/^/gm, "  ")}`)
    .join("\n\n");
}
