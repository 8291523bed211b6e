import { type Authority, authorityProblem, ensureAuthority, removeAuthority } from "./authority.ts";
import { type DeploymentInputs, deploymentProblem, ensureDeployed } from "./deployment.ts";
import { assertHost, installMissing } from "./host.ts";
import { addHosts, hostsProblem, removeHosts } from "./hosts-file.ts";
import { ensureMachine, type MachineInputs, machineProblem, removeMachine } from "./machine.ts";
import { ensureNetwork, type Network, networkOf, networkProblem, removeNetwork } from "./network.ts";

/**
 * One kind of local resource: `ensure` creates or repairs it, and `problem` returns why it needs repair. So the next `up` repairs a host
 * that was rebooted and an update that was killed half-way, and create and update are the same operation.
 */
interface Kind<Inputs, Outputs extends object> {
  ensure(inputs: Inputs, log: (line: string) => void): Promise<Outputs>;
  problem(inputs: Inputs): Promise<string | undefined>;
  remove(state: Inputs & Outputs): Promise<void>;
  /** Inputs whose change causes an update. A machine's user-data is not one of them, since it is used only at the first boot. */
  watched: (keyof Inputs & string)[];
}

interface StackInputs {
  stack: string;
}
interface AuthorityInputs extends StackInputs {
  networkIndex: number;
}
interface HostsInputs extends StackInputs {
  /** With blanks between them. */
  names: string;
  addresses: string[];
}

const network: Kind<StackInputs, Network> = {
  ensure: async ({ stack }, log) => {
    assertHost();
    await installMissing(log);
    return ensureNetwork(stack);
  },
  problem: ({ stack }) => networkProblem(stack),
  remove: ({ stack }) => removeNetwork(stack),
  watched: ["stack"],
};

const authority: Kind<AuthorityInputs, Authority> = {
  ensure: ({ stack, networkIndex }, log) => ensureAuthority(stack, networkOf(networkIndex), log),
  problem: ({ stack }) => authorityProblem(stack),
  remove: ({ stack, networkIndex }) => removeAuthority(stack, networkOf(networkIndex)),
  watched: ["stack", "networkIndex"],
};

const machine: Kind<MachineInputs, Awaited<ReturnType<typeof ensureMachine>>> = {
  ensure: ensureMachine,
  problem: machineProblem,
  remove: ({ stack, networkIndex }) => removeMachine(stack, networkIndex),
  watched: ["stack", "domain", "networkIndex", "isOrigin"],
};

const deployment: Kind<DeploymentInputs, object> = {
  ensure: ensureDeployed,
  problem: deploymentProblem,
  remove: async () => {}, // it is removed with the machine
  watched: [
    "stack",
    "networkIndex",
    "release",
    "files",
    "workspaceHead",
    "workspaceCredentials",
    "identityProviderSecrets",
  ],
};

const hosts: Kind<HostsInputs, object> = {
  ensure: async ({ stack, names, addresses }) => {
    await addHosts(stack, names, addresses);
    return {};
  },
  problem: ({ stack, names, addresses }) => hostsProblem(stack, names, addresses),
  remove: ({ stack }) => removeHosts(stack),
  watched: ["stack", "names", "addresses"],
};

// biome-ignore lint/suspicious/noExplicitAny: the table's kinds differ; each pairs with its own inputs in resources.ts
const kinds: Record<string, Kind<any, object>> = { network, authority, machine, deployment, hosts };

type Props = Record<string, unknown> & { stack: string };

/** The dynamic provider of one kind, as @pulumi/pulumi's dynamic-provider process calls it. */
export function provider(name: string) {
  const kind = kinds[name];
  if (!kind) throw new Error(`There is no local resource kind "${name}".`);
  const log = (line: string) => console.log(`${name}: ${line}`);
  const ensure = async (inputs: Props) => ({ ...inputs, ...(await kind.ensure(inputs, log)) });
  return {
    create: async (inputs: Props) => ({ id: `${inputs.stack}/${name}`, outs: await ensure(inputs) }),
    update: async (_id: string, _olds: Props, news: Props) => ({ outs: await ensure(news) }),
    diff: async (_id: string, olds: Props, news: Props) => {
      const changed = kind.watched.filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]));
      const problem = await kind.problem(news);
      if (problem && changed.length === 0) log(`to be repaired: ${problem}`);
      return { changes: changed.length > 0 || problem !== undefined, deleteBeforeReplace: true };
    },
    read: async (id: string, props: Props) => ((await kind.problem(props)) ? {} : { id, props }),
    delete: (_id: string, props: Props) => kind.remove(props),
  };
}
