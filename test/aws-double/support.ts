import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accountOf } from "./account.ts";
import type { Role } from "./iam/principal.ts";
import type { Account } from "./kind.ts";
import { awsDouble } from "./provider.ts";
import type { Props } from "./values.ts";

/** The plugin as the engine calls it, with its own account. Nothing boots. */
export class Double {
  readonly aws: Account;
  readonly #provider: Required<ReturnType<typeof awsDouble>>;

  private constructor(aws: Account) {
    this.aws = aws;
    this.#provider = awsDouble({ aws }) as Required<ReturnType<typeof awsDouble>>;
  }

  /** @param role the caller's; by default an administrator, so that only the service can refuse a request */
  static async create(role: Role = "administrator"): Promise<Double> {
    const home = await mkdtemp(join(tmpdir(), "aws-double-"));
    return new Double({ ...accountOf({ AWS_DOUBLE_HOME: home, AWS_REGION: "eu-central-1" }), role });
  }

  /** The plugin with an existing account. */
  static over = (aws: Account) => new Double(aws);

  remove = () => rm(this.aws.store.home, { recursive: true, force: true });

  #urn = (token: string, name: string) => `urn:pulumi:s::p::${token}::${name}`;

  /** The problems that a check finds, as "input: reason". */
  async problems(token: string, inputs: Props, name = "thing"): Promise<string[]> {
    const { failures } = await this.#provider.check(this.#urn(token, name), {}, inputs);
    return (failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);
  }

  /** Checks, then creates. @throws the API's error */
  async create(token: string, inputs: Props, name = "thing"): Promise<{ id: string; outs: Props }> {
    const urn = this.#urn(token, name);
    const checked = await this.#provider.check(urn, {}, inputs);
    const problems = (checked.failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);
    if (problems.length > 0) throw new Error(problems.join("; "));
    return (await this.#provider.create(urn, checked.inputs)) as { id: string; outs: Props };
  }

  diff = (token: string, outs: Props, news: Props) =>
    this.#provider.diff("", this.#urn(token, "thing"), outs, news);

  update = (token: string, id: string, news: Props) =>
    this.#provider.update(id, this.#urn(token, "thing"), {}, news);

  read = (token: string, id: string) => this.#provider.read(id, this.#urn(token, "thing"), {});

  delete = (token: string, id: string) => this.#provider.delete(id, this.#urn(token, "thing"), {});

  invoke = async (token: string, args: Props = {}) =>
    (await this.#provider.invoke(token, args)).outputs as Props;

  /** A VPC with one subnet and a security group. */
  async network() {
    const vpc = await this.create("aws:ec2/vpc:Vpc", {
      cidrBlock: "10.0.0.0/16",
      assignGeneratedIpv6CidrBlock: true,
    });
    const subnet = await this.create("aws:ec2/subnet:Subnet", {
      vpcId: vpc.id,
      cidrBlock: "10.0.0.0/24",
      ipv6CidrBlock: String(vpc.outs.ipv6CidrBlock).replace("::/56", "::/64"),
      availabilityZone: "eu-central-1a",
    });
    const group = await this.create("aws:ec2/securityGroup:SecurityGroup", { vpcId: vpc.id, name: "edge" });
    return { vpc, subnet, group };
  }
}
