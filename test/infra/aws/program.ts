import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { AwsEdge, type AwsEdgeTransform } from "../../../infra/aws/index.ts";
import { prepareAwsEdge } from "../../../infra/aws/prepare.ts";
import { type AwsSettings, parseSettings } from "../../../infra/settings.ts";
import { captureLog, type RequestedResource, recording, settled, withoutStacks } from "./mocks.ts";

export const RELEASE = { hash: "5".repeat(64), archive: join(tmpdir(), "release.tar.zst") };
const REGION = "eu-central-1";

/** The workspace is a repository elsewhere, so that the tests do not depend on this checkout. */
const BASE = { target: "aws", domain: "mcp.example.com", workspace: "https://git.example.com/team/code.git" };

/** The resources that the program creates under mocks, once all of them exist. */
export class Program {
  readonly resources: RequestedResource[];
  readonly edge: AwsEdge;
  readonly settings: AwsSettings;
  readonly messages: string[];

  private constructor(
    resources: RequestedResource[],
    edge: AwsEdge,
    settings: AwsSettings,
    messages: string[],
  ) {
    this.resources = resources;
    this.edge = edge;
    this.settings = settings;
    this.messages = messages;
  }

  static run = (...args: Parameters<typeof Program.make>): Promise<Program> =>
    withoutStacks(() => Program.make(...args));

  private static async make(
    raw: Record<string, string> = {},
    stack = "prod",
    region = REGION,
    transform?: AwsEdgeTransform,
  ): Promise<Program> {
    const resources = await recording(stack);
    const messages = captureLog();
    const settings = parseSettings({ ...BASE, ...raw }, stack) as AwsSettings;
    const prefix = `/mcp-edge/${stack}`;
    const edge = new AwsEdge(stack, {
      settings,
      ...(await prepareAwsEdge(settings, RELEASE)),
      region,
      prefix,
      transform,
    });
    await settled();
    return new Program(resources, edge, settings, messages);
  }

  /** Resources of a type, such as "ec2/instance:Instance". */
  all(type: string): RequestedResource[] {
    return this.resources.filter((resource) => resource.type === `aws:${type}`);
  }

  /** The only one of a type. */
  // biome-ignore lint/suspicious/noExplicitAny: inputs are read as the test expects them
  one(type: string): any {
    const found = this.all(type);
    if (found.length !== 1) throw new Error(`${found.length} resources of type ${type}, not 1`);
    return found[0]?.inputs;
  }

  /** Resolves an output of the program. */
  value<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((done) => pulumi.output(output).apply((found) => done(found as T)));
  }

  documents(): string[] {
    return this.all("ec2/instance:Instance").map(({ inputs }) =>
      gunzipSync(Buffer.from(String(inputs.userDataBase64), "base64")).toString(),
    );
  }
}
