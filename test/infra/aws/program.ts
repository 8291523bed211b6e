import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { AwsEdge } from "../../../infra/aws/index.ts";
import { prepareAwsEdge } from "../../../infra/aws/prepare.ts";
import { type AwsSettings, parseSettings } from "../../../infra/settings.ts";
import { type Asked, hearLog, recording, settled } from "./mocks.ts";

export const RELEASE = { hash: "5".repeat(64), archive: join(tmpdir(), "release.tar.zst") };
const REGION = "eu-central-1";

/** A repository elsewhere, so that nothing of this checkout plays a part. */
const BASE = { target: "aws", domain: "mcp.example.com", workspace: "https://git.example.com/team/code.git" };

/** Everything that the program makes under mocks, once all of it is made. */
export class Program {
  readonly asked: Asked[];
  readonly edge: AwsEdge;
  readonly settings: AwsSettings;
  readonly said: string[];

  private constructor(asked: Asked[], edge: AwsEdge, settings: AwsSettings, said: string[]) {
    this.asked = asked;
    this.edge = edge;
    this.settings = settings;
    this.said = said;
  }

  static async run(raw: Record<string, string> = {}, stack = "prod", region = REGION): Promise<Program> {
    const asked = await recording(stack);
    const said = hearLog();
    const settings = parseSettings({ ...BASE, ...raw }, stack) as AwsSettings;
    const prefix = `/mcp-edge/${stack}`;
    const edge = new AwsEdge(stack, {
      settings,
      ...(await prepareAwsEdge(settings, RELEASE)),
      region,
      prefix,
    });
    await settled();
    return new Program(asked, edge, settings, said);
  }

  /** Resources of a type, such as "ec2/instance:Instance". */
  all(type: string): Asked[] {
    return this.asked.filter((resource) => resource.type === `aws:${type}`);
  }

  /** The only one of a type. */
  // biome-ignore lint/suspicious/noExplicitAny: inputs are read as the test expects them
  one(type: string): any {
    const found = this.all(type);
    if (found.length !== 1) throw new Error(`${found.length} resources of type ${type}, not 1`);
    return found[0]?.inputs;
  }

  /** What an output of the program is in the end. */
  value<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((done) => pulumi.output(output).apply((found) => done(found as T)));
  }

  documents(): string[] {
    return this.all("ec2/instance:Instance").map(({ inputs }) =>
      gunzipSync(Buffer.from(String(inputs.userDataBase64), "base64")).toString(),
    );
  }
}
