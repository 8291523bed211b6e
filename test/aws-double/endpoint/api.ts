import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { type Credentials, instanceCredentials, roleCredentials, roleOf } from "../account.ts";
import { allowed, type Request } from "../iam/evaluate.ts";
import { policiesOf } from "../iam/principal.ts";
import type { Account } from "../kind.ts";
import { documentsOf, roleOfProfile } from "../services/iam.ts";
import { INSTANCE } from "../services/instances.ts";
import { type Props, text } from "../values.ts";
import { answerBucketSettings, answerQuery } from "./questions.ts";
import { answerRoute53 } from "./route53.ts";
import { answerS3, S3Error } from "./s3.ts";
import { answerJson, ServiceError } from "./services.ts";
import { SignatureError, type SignedRequest, verify } from "./sigv4.ts";

/** The caller and its permissions. */
export type Gate = (request: Request) => boolean;

interface Caller {
  credentials: Credentials;
  /** Its role's policies; undefined: everything is allowed. */
  documents: Props[] | undefined;
}

function callerOf(aws: Account, accessKeyId: string): Caller | undefined {
  const role = roleOf(aws.store.home, accessKeyId);
  if (role)
    return {
      credentials: roleCredentials(aws.store.home, role),
      // A request does not name its stack, so only the policy's other limits apply.
      documents: policiesOf(role, { stack: "*", ...(aws.domain ? { domain: aws.domain } : {}) }),
    };
  for (const { id, inputs } of aws.store.all(INSTANCE)) {
    const credentials = instanceCredentials(aws.store.home, id);
    if (credentials.accessKeyId !== accessKeyId) continue;
    const role = roleOfProfile(aws, text(inputs, "iamInstanceProfile"));
    return { credentials, documents: documentsOf(aws, role) };
  }
  return undefined;
}

const flat = (headers: IncomingMessage["headers"]) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value]),
  );

/**
 * Amazon's HTTP endpoint for S3 (path style), Systems Manager, CloudWatch, Route 53 and doctor's requests. The signature names the service.
 * @param converge brings changed records of Route 53 to the name server
 */
export function apiServer(
  aws: Account,
  log: (line: string) => void,
  converge: () => Promise<void> = async () => {},
): Server {
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const { method = "", url: target = "" } = request;
    const headers = flat(request.headers);
    const signer = verify({ method, target, headers, body }, (key) => callerOf(aws, key)?.credentials);
    // Route 53 is global, and its requests are signed for one region.
    const region = signer.service === "route53" ? "us-east-1" : aws.region;
    if (signer.region !== region)
      throw new SignatureError("AuthorizationHeaderMalformed", `the region must be ${region}`);
    const caller = callerOf(aws, signer.accessKeyId);
    const gate: Gate = (asked) => {
      if (caller?.documents === undefined) return true;
      const context = {
        "aws:PrincipalAccount": aws.account,
        "aws:ResourceAccount": aws.account,
        ...asked.context,
      };
      return allowed(caller.documents, { ...asked, context });
    };
    const answer = answerOf(aws, gate, { ...signer, method, target, headers, body });
    if (signer.service === "route53" && method === "POST") await converge();
    log(`${signer.accessKeyId.slice(0, 4)} ${signer.service} ${method} ${target} ${answer.status}`);
    response.writeHead(answer.status, answer.headers).end(method === "HEAD" ? undefined : answer.body);
  };
  return createServer((request, response) => {
    handle(request, response).catch((error: Error) => {
      const { code, status, message } = failure(error);
      log(`${request.method} ${request.url} ${status} ${code} ${message}`);
      const json = request.headers["content-type"]?.includes("json");
      const text = json ? JSON.stringify({ __type: code, message }) : xmlError(request, code, message);
      response.writeHead(status, { "content-type": json ? "application/x-amz-json-1.1" : "application/xml" });
      response.end(request.method === "HEAD" ? undefined : text);
    });
  });
}

/** Each protocol wraps its error in its own way: S3 not at all, EC2 in a list, the others in a response. */
function xmlError({ headers }: IncomingMessage, code: string, message: string): string {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const [, service = "s3"] = /\/([\w-]+)\/aws4_request/.exec(headers.authorization ?? "") ?? [];
  const others = `<ErrorResponse>${error}</ErrorResponse>`;
  const body =
    service === "s3" ? error : service === "ec2" ? `<Response><Errors>${error}</Errors></Response>` : others;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
}

interface Signed extends SignedRequest {
  service: string;
  accessKeyId: string;
}

function answerOf(aws: Account, gate: Gate, request: Signed) {
  const { service, target, headers, body } = request;
  if (service === "route53") return answerRoute53(aws, gate, request);
  if (service === "s3") {
    const settings = request.method === "GET" ? answerBucketSettings(aws, gate, target) : undefined;
    return settings ?? answerS3(aws, gate, request);
  }
  const caller = roleOf(aws.store.home, request.accessKeyId) ?? "machine";
  const form = headers["content-type"]?.includes("x-www-form-urlencoded");
  const answer = form ? answerQuery(aws, gate, service, caller, body) : undefined;
  return answer ?? answerJson(aws, gate, service, headers, body);
}

function failure(error: Error): { code: string; status: number; message: string } {
  const { message } = error;
  if (error instanceof S3Error || error instanceof ServiceError)
    return { code: error.code, status: error.status, message };
  if (error instanceof SignatureError) return { code: error.code, status: 403, message };
  return { code: "InternalError", status: 500, message: error.stack ?? message };
}
