import type { Provider } from "@pulumi/pulumi/provider/index.js";
import { checkAll } from "./check.ts";
import { authorize, callsOf, invokeCalls, updateCalls } from "./iam/authorize.ts";
import { invoke } from "./invokes.ts";
import { type Account, ApiError, type Kind, type Part } from "./kind.ts";
import { kinds } from "./kinds.ts";
import { mustExist, mustNotBeUsed } from "./references.ts";
import { type Props, plainProps, same, withSecrets } from "./values.ts";

const tokenOf = (urn: string) => (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
const stackOf = (urn: string) => urn.split(":")[2] ?? "";
const nameOf = (urn: string) => urn.split("::")[3] ?? "";

function kindOf(urn: string): Kind {
  const kind = kinds.get(tokenOf(urn));
  if (!kind)
    throw new Error(`The double of AWS has no ${tokenOf(urn)}: add it under test/aws-double/services/`);
  return kind;
}

/** Names of the inputs of a resource. A diff must know which of its outputs come from inputs. */
const ASKED = "__asked";

const state = (inputs: Props, computed: Props): Props => ({
  ...computed,
  ...inputs,
  [ASKED]: Object.keys(inputs).sort(),
});

export interface ProviderOptions {
  aws: Account;
  /** Applies a change to this host. */
  converge?: (parts: readonly Part[]) => Promise<void>;
}

/** The plugin `aws` as the engine sees it. */
export function awsDouble({ aws, converge = async () => {} }: ProviderOptions): Provider {
  const { store } = aws;
  return {
    version: "7.48.0",

    check: async (urn, olds, news) => checkAll(kindOf(urn), nameOf(urn), olds, news),

    diff: async (_id, urn, olds, news) => {
      const kind = kindOf(urn);
      const before = plainProps(olds);
      const after = plainProps(news);
      const asked = (before[ASKED] as string[] | undefined) ?? [];
      const keys = [...new Set([...asked, ...Object.keys(after)])].filter((key) => !key.startsWith("__"));
      const changed = keys.filter((key) => !same(before[key], after[key]));
      const more = kind.replacesWhen?.(before, after) ?? [];
      const replaces = changed.filter((key) => kind.replaces.includes(key) || more.includes(key));
      return {
        changes: changed.length > 0,
        replaces,
        deleteBeforeReplace: kind.deleteBeforeReplace === true,
      };
    },

    create: async (urn, news) => {
      const kind = kindOf(urn);
      const inputs = plainProps(news);
      mustExist(kind, inputs, store);
      const denied = authorize(aws, stackOf(urn), () => callsOf(kind.token).make({ aws, id: "", inputs }));
      kind.without?.(inputs, denied);
      const { id, outs } = await kind.make(inputs, aws);
      authorize(aws, stackOf(urn), () => callsOf(kind.token).read({ aws, id, inputs }));
      if (store.get(kind.token, id))
        throw new ApiError("ResourceAlreadyExists", `${kind.token} ${id} exists.`);
      const all = state(inputs, outs);
      const stored = { token: kind.token, id, inputs, outs: all };
      store.put(stored);
      try {
        await converge(kind.converges ?? []);
      } catch (error) {
        // For the engine, a failed resource does not exist.
        await Promise.resolve(kind.remove?.(stored, aws)).catch(() => {});
        store.remove(kind.token, id);
        throw error;
      }
      return { id, outs: withSecrets(all, news) };
    },

    read: async (id, urn, props) => {
      const kind = kindOf(urn);
      const stored = store.get(kind.token, id);
      if (stored)
        authorize(aws, stackOf(urn), () => callsOf(kind.token).read({ aws, id, inputs: stored.inputs }));
      const more = stored && (kind.read ? await kind.read(stored, aws) : {});
      // For the engine, an empty id means that the resource was deleted.
      if (!stored || !more) return { id: "", props: {} };
      const outs = withSecrets({ ...stored.outs, ...more }, props ?? {});
      // A value that was read becomes the input of the same name.
      const read = Object.entries(more).filter(([key]) => key in stored.inputs);
      return {
        id,
        props: outs,
        inputs: withSecrets({ ...stored.inputs, ...Object.fromEntries(read) }, props ?? {}),
      };
    },

    update: async (id, urn, _olds, news) => {
      const kind = kindOf(urn);
      const inputs = plainProps(news);
      const before = store.get(kind.token, id);
      if (!before) throw new ApiError("NotFound", `${kind.token} ${id} does not exist.`);
      mustExist(kind, inputs, store);
      const subject = { aws, id, inputs };
      authorize(aws, stackOf(urn), () => [
        ...updateCalls(kind.token, subject, before.inputs),
        ...callsOf(kind.token).read(subject),
      ]);
      const { [ASKED]: asked, ...outs } = before.outs;
      const computed = Object.fromEntries(
        Object.entries(outs).filter(([key]) => !(asked as string[]).includes(key)),
      );
      const all = state(inputs, { ...computed, ...(await kind.change?.(before, inputs, aws)) });
      store.put({ token: kind.token, id, inputs, outs: all });
      await converge(kind.converges ?? []);
      return { outs: withSecrets(all, news) };
    },

    delete: async (id, urn) => {
      const kind = kindOf(urn);
      const stored = store.get(kind.token, id);
      if (!stored) return;
      authorize(aws, stackOf(urn), () => callsOf(kind.token).remove({ aws, id, inputs: stored.inputs }));
      mustNotBeUsed(kind, id, store);
      await kind.remove?.(stored, aws);
      store.remove(kind.token, id);
      await converge(kind.converges ?? []);
    },

    invoke: async (token, args) => {
      const known = plainProps(args);
      // The engine does not pass the stack of a data source.
      authorize(aws, "*", () => invokeCalls(token, known, aws));
      return { outputs: await invoke(token, known, aws) };
    },
  };
}
