import { createHash, randomBytes } from "node:crypto";
import { CheckFailure } from "../check.ts";
import type { Context } from "../context.ts";
import type { ClientShape } from "./clients.ts";
import { type Outgoing, type Reply, send } from "./http.ts";

/** Protected resource metadata (RFC 9728), as far as clients read it. */
export interface ResourceMetadata {
  resource: string;
  authorization_servers: string[];
  scopes_supported?: string[];
}

/** Authorization server metadata (RFC 8414), as far as clients read it. */
export interface ServerMetadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  registration_endpoint?: string;
  scopes_supported?: string[];
  code_challenge_methods_supported?: string[];
  token_endpoint_auth_methods_supported?: string[];
  grant_types_supported?: string[];
  client_id_metadata_document_supported?: boolean;
  authorization_response_iss_parameter_supported?: boolean;
}

export interface RegisteredClient {
  id: string;
  secret?: string;
  method: string;
  /** The id is the URL of a metadata document. */
  byDocument: boolean;
}

export interface Tokens {
  access: string;
  refresh?: string;
  scope?: string;
}

/** One client's attempt to sign in: what its steps have found so far. Each step reads what an earlier one has set. */
export class Attempt {
  readonly shape: ClientShape;
  readonly context: Context;
  readonly verifier = randomBytes(32).toString("base64url");
  readonly state = randomBytes(16).toString("base64url");
  /** Path of the MCP endpoint. */
  readonly path: string;
  /** Scopes of the 401 challenge. */
  challengeScopes: string[] | undefined;
  /** URL that the challenge names for the metadata. */
  metadataUrl: URL | undefined;
  #resource: ResourceMetadata | undefined;
  #server: ServerMetadata | undefined;
  #client: RegisteredClient | undefined;
  #tokens: Tokens | undefined;
  code: string | undefined;

  constructor(shape: ClientShape, context: Context, path = "/mcp") {
    this.shape = shape;
    this.context = context;
    this.path = path;
  }

  get endpoint(): URL {
    return new URL(this.path, this.context.target.origin);
  }

  /** PKCE challenge, S256 (RFC 7636). */
  get challenge(): string {
    return createHash("sha256").update(this.verifier).digest("base64url");
  }

  get resource(): ResourceMetadata {
    return this.#resource ?? missing("the resource metadata");
  }
  set resource(found: ResourceMetadata) {
    this.#resource = found;
  }

  get server(): ServerMetadata {
    return this.#server ?? missing("the authorization server's metadata");
  }
  set server(found: ServerMetadata) {
    this.#server = found;
  }

  get client(): RegisteredClient {
    return this.#client ?? missing("the registration");
  }
  set client(found: RegisteredClient) {
    this.#client = found;
  }

  get tokens(): Tokens {
    return this.#tokens ?? missing("a token");
  }
  set tokens(found: Tokens) {
    this.#tokens = found;
  }

  /** The scopes that this client asks for. */
  get scopes(): string[] {
    const supported = this.resource.scopes_supported ?? this.server.scopes_supported ?? [];
    return this.shape.scopes === "challenge" ? (this.challengeScopes ?? supported) : supported;
  }

  /** Sends a request with this client's headers. */
  send(url: URL, outgoing: Outgoing, signal: AbortSignal): Promise<Reply> {
    const { origin, userAgent } = this.shape;
    const headers = {
      "user-agent": userAgent,
      accept: "application/json",
      ...(origin === undefined ? {} : { origin }),
      ...outgoing.headers,
    };
    return send(this.context, url, { ...outgoing, headers }, signal);
  }
}

function missing(what: string): never {
  throw new CheckFailure(`${what} is missing: an earlier step did not succeed`);
}
