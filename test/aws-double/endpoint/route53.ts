import { createHash } from "node:crypto";
import type { Account } from "../kind.ts";
import { RECORD, ZONE } from "../services/route53.ts";
import type { Store } from "../store.ts";
import { text } from "../values.ts";
import type { Gate } from "./api.ts";
import { answer, need } from "./questions.ts";
import type { Answer } from "./s3.ts";
import { ServiceError } from "./services.ts";

/** Route 53, whose API is XML over paths: the zones by name, the records of a zone, changes of records. */
export function answerRoute53(
  { store }: Account,
  gate: Gate,
  { method, target, body }: { method: string; target: string; body: Buffer },
): Answer {
  const { pathname, searchParams } = new URL(target, "http://route53");
  if (pathname === "/2013-04-01/hostedzonesbyname") {
    need(gate, "route53:ListHostedZonesByName");
    const zones = store
      .all(ZONE)
      .map(({ id, inputs }) => ({ Id: `/hostedzone/${id}`, Name: `${text(inputs, "name")}.` }));
    // In order, starting at the requested name.
    const from = `${searchParams.get("dnsname")}.`;
    const [found] = zones.filter(({ Name }) => Name >= from).sort((a, b) => (a.Name < b.Name ? -1 : 1));
    return answer("ListHostedZonesByNameResponse", { HostedZones: found ? { HostedZone: found } : {} });
  }
  const [, change] = /^\/2013-04-01\/change\/([^/]+)$/.exec(pathname) ?? [];
  if (change) {
    need(gate, "route53:GetChange", `arn:aws:route53:::change/${change}`);
    return answer("GetChangeResponse", changeInfo(change, "INSYNC"));
  }
  const [, id] = /^\/2013-04-01\/hostedzone\/([^/]+)\/rrset$/.exec(pathname) ?? [];
  if (!id) throw new ServiceError("UnknownOperationException", `route53 ${pathname}`);
  if (method === "POST") return changeRecords(store, gate, id, body.toString());
  need(gate, "route53:ListResourceRecordSets", `arn:aws:route53:::hostedzone/${id}`);
  const records = store
    .all(RECORD)
    .filter(({ inputs }) => inputs.zoneId === id && text(inputs, "name") >= (searchParams.get("name") ?? ""));
  return answer("ListResourceRecordSetsResponse", {
    ResourceRecordSets: {
      ResourceRecordSet: records.map(({ inputs }) => ({
        Name: `${text(inputs, "name")}.`,
        Type: text(inputs, "type"),
      })),
    },
  });
}

const changeInfo = (id: string, status: string) => ({
  ChangeInfo: { Id: `/change/${id}`, Status: status, SubmittedAt: "2026-01-01T00:00:00Z" },
});

const invalid = (message: string) => new ServiceError("InvalidChangeBatch", message);

/** One text record of a change, in the order of elements that the API's schema demands. */
const CHANGE =
  /<Change><Action>(UPSERT|DELETE|CREATE)<\/Action><ResourceRecordSet><Name>([^<]+)<\/Name><Type>(\w+)<\/Type>(?:<SetIdentifier>([^<]{1,128})<\/SetIdentifier><MultiValueAnswer>true<\/MultiValueAnswer>)?<TTL>(\d+)<\/TTL><ResourceRecords>((?:<ResourceRecord><Value>[^<]+<\/Value><\/ResourceRecord>)+)<\/ResourceRecords><\/ResourceRecordSet><\/Change>/g;

/** ChangeResourceRecordSets (API reference), for what a machine sends: records with values, simple or of a multivalue answer. */
function changeRecords(store: Store, gate: Gate, zoneId: string, body: string): Answer {
  const apex = text(store.get(ZONE, zoneId)?.inputs ?? {}, "name");
  const changes = [...body.matchAll(CHANGE)].map(
    ([, action = "", dotted = "", type = "", set = "", ttl, values = ""]) => ({
      ...{ action, type, set, ttl: Number(ttl) },
      name: dotted.toLowerCase().replace(/\.$/, ""),
      values: Array.from(values.matchAll(/<Value>([^<]+)<\/Value>/g), ([, value = ""]) => value),
    }),
  );
  if (changes.length === 0)
    throw new ServiceError("InvalidInput", "The request is not of the schema's form.");
  const values = (pick: (one: (typeof changes)[number]) => string) => [...new Set(changes.map(pick))];
  const resource = `arn:aws:route53:::hostedzone/${zoneId}`;
  const context = {
    "route53:ChangeResourceRecordSetsNormalizedRecordNames": values(({ name }) => name),
    "route53:ChangeResourceRecordSetsRecordTypes": values(({ type }) => type),
    "route53:ChangeResourceRecordSetsActions": values(({ action }) => action),
  };
  if (!gate({ action: "route53:ChangeResourceRecordSets", resource, context }))
    throw new ServiceError(
      "AccessDenied",
      `not authorized to perform: route53:ChangeResourceRecordSets on resource: ${resource}`,
    );
  if (!store.get(ZONE, zoneId))
    throw new ServiceError("NoSuchHostedZone", `No hosted zone found with ID: ${zoneId}`);
  for (const { action, name, type, set, ttl, values: records } of changes) {
    if (name !== apex && !name.endsWith(`.${apex}`))
      throw invalid(`[RRSet with DNS name ${name}. is not permitted in zone ${apex}.]`);
    if (type === "TXT" && records.some((value) => !/^"[^"]{0,255}"$/.test(value)))
      throw invalid(
        "[Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks)]",
      );
    const others = store
      .all(RECORD)
      .filter(({ inputs, outs }) => inputs.zoneId === zoneId && outs.fqdn === name && inputs.type === type);
    if (
      action !== "DELETE" &&
      others.some(({ inputs }) => (text(inputs, "setIdentifier") === "") !== (set === ""))
    )
      throw invalid(
        `[RRSet with DNS name ${name}., type ${type} cannot be created as a simple and a multivalue answer record exist at the same time]`,
      );
    const id = `${zoneId}_${name}_${type}${set && `_${set}`}`;
    const inputs = {
      zoneId,
      name,
      type,
      ttl,
      records,
      ...(set ? { setIdentifier: set, multivalueAnswerRoutingPolicy: true } : {}),
    };
    if (action !== "DELETE") store.put({ token: RECORD, id, inputs, outs: { fqdn: name } });
    else if (JSON.stringify(store.get(RECORD, id)?.inputs.records) === JSON.stringify(records))
      store.remove(RECORD, id);
    else
      throw invalid(
        `[Tried to delete resource record set [name='${name}.', type='${type}'] but it was not found]`,
      );
  }
  return answer(
    "ChangeResourceRecordSetsResponse",
    changeInfo(`C${createHash("sha256").update(body).digest("hex").slice(0, 12).toUpperCase()}`, "PENDING"),
  );
}
