import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { tagsIn } from "../iam/calls.ts";
import { type Account, ApiError, type Kind, tagsAll } from "../kind.ts";
import { jsonProblem, oneOf, patterns } from "../limits.ts";
import { deleteAllVersions, getObject, listVersions, putObject, tagObject } from "../objects.ts";
import { assetOf, objects, type Props, same, text } from "../values.ts";

/** S3 (S3 user guide, "Bucket naming rules"; API reference). */

export const BUCKET = "aws:s3/bucket:Bucket";
export const OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2";
const bucketRef = { bucket: { token: BUCKET, weak: true } };

export const bucket: Kind = {
  token: BUCKET,
  replaces: ["bucket", "bucketPrefix", "objectLockEnabled"],
  autoName: { input: "bucket", max: 63, lower: true },
  check: (inputs) => [
    ...patterns(inputs, {
      bucket: [
        /^(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias|--ol-s3)$/,
        "3 to 63 lower-case letters, digits, dots and hyphens, as S3's naming rules say",
      ],
    }),
  ],
  make: (inputs, aws) => {
    const id = text(inputs, "bucket");
    if (aws.store.get(BUCKET, id))
      throw new ApiError("BucketAlreadyOwnedByYou", `${id}: you already own this bucket.`);
    const regional = `${id}.s3.${aws.region}.amazonaws.com`;
    const outs = {
      arn: `arn:${aws.partition}:s3:::${id}`,
      bucketDomainName: `${id}.s3.amazonaws.com`,
      bucketRegionalDomainName: regional,
      bucketRegion: aws.region,
      region: aws.region,
      hostedZoneId: "Z21DNDUVLTQW6Q",
      forceDestroy: false,
      ...tagsAll(inputs),
    };
    return { id, outs };
  },
  change: (_before, inputs) => tagsAll(inputs),
  remove: ({ id, inputs }, { store }) => {
    // Noncurrent versions and those behind a delete marker count too.
    const left = listVersions(store.home, id);
    if (left.length > 0 && inputs.forceDestroy !== true) {
      throw new ApiError("BucketNotEmpty", `The bucket you tried to delete is not empty: ${left[0]}`);
    }
    for (const key of left) deleteAllVersions(store.home, id, key);
    // This includes the objects that the program retained (retainOnDelete).
    for (const object of store.all(OBJECT)) if (object.inputs.bucket === id) store.remove(OBJECT, object.id);
  },
};

/** A part of a bucket's configuration, one for each bucket. */
const part = (name: string, check?: Kind["check"]): Kind => ({
  token: `aws:s3/${name}:${name[0]?.toUpperCase()}${name.slice(1)}`,
  replaces: ["bucket"],
  references: bucketRef,
  ...(check ? { check } : {}),
  overwrites: true,
  make: (inputs) => ({ id: text(inputs, "bucket"), outs: {} }),
});

function lifecycleProblems(inputs: Props): [string, string][] {
  const rules = objects(inputs, "rules");
  const ids = rules.map((rule) => text(rule, "id"));
  const found: [string, string][] = [];
  if (new Set(ids).size < ids.length) found.push(["rules", "two rules have one id"]);
  for (const rule of rules) {
    found.push(
      ...oneOf(rule, { status: ["Enabled", "Disabled"] }).map(
        ([, why]) => ["rules", why] as [string, string],
      ),
    );
    const actions = [
      "expiration",
      "noncurrentVersionExpiration",
      "abortIncompleteMultipartUpload",
      "transitions",
      "noncurrentVersionTransitions",
    ];
    if (!actions.some((action) => rule[action] !== undefined))
      found.push(["rules", `rule ${rule.id} does nothing`]);
  }
  return found;
}

export const bucketParts: Kind[] = [
  part("bucketVersioning", (inputs) =>
    oneOf((inputs.versioningConfiguration as Props | undefined) ?? {}, {
      status: ["Enabled", "Suspended", "Disabled"],
    }),
  ),
  part("bucketServerSideEncryptionConfiguration", (inputs) =>
    objects(inputs, "rules").length > 1 ? [["rules", "one rule is taken"]] : [],
  ),
  part("bucketPublicAccessBlock"),
  part("bucketOwnershipControls"),
  part("bucketLifecycleConfiguration", lifecycleProblems),
  part("bucketPolicy", (inputs) => {
    const what = jsonProblem(inputs.policy, 20_480);
    return what ? [["policy", what]] : [];
  }),
];

function contentOf(inputs: Props): Buffer {
  const asset = assetOf(inputs.source);
  if (asset?.path !== undefined) return readFileSync(asset.path);
  if (asset?.text !== undefined) return Buffer.from(asset.text);
  if (typeof inputs.contentBase64 === "string") return Buffer.from(inputs.contentBase64, "base64");
  return Buffer.from(text(inputs, "content"));
}

function store(inputs: Props, aws: Account) {
  const content = contentOf(inputs);
  const bucketName = text(inputs, "bucket");
  const key = text(inputs, "key");
  const contentType = text(inputs, "contentType") || "application/octet-stream";
  const meta = { contentType, tags: tagsIn(inputs) };
  const { etag, versionId } = putObject(aws.store.home, bucketName, key, content, meta);
  return {
    arn: `arn:${aws.partition}:s3:::${bucketName}/${key}`,
    etag,
    contentType,
    versionId,
    checksumSha256: createHash("sha256").update(content).digest("base64"),
    storageClass: "STANDARD",
    serverSideEncryption: "AES256",
    ...tagsAll(inputs),
  };
}

export const bucketObject: Kind = {
  token: OBJECT,
  replaces: ["bucket", "key"],
  tagRules: { most: 10 },
  overwrites: true,
  references: bucketRef,
  check: (inputs) => {
    const given = ["source", "content", "contentBase64"].filter((key) => inputs[key] !== undefined);
    const found: [string, string][] = given.length > 1 ? [[given[1] as string, "only one content"]] : [];
    if (typeof inputs.key === "string" && Buffer.byteLength(inputs.key) > 1024)
      found.push(["key", "more than 1024 bytes"]);
    return found;
  },
  make: (inputs, aws) => ({
    id: `${text(inputs, "bucket")}/${text(inputs, "key")}`,
    outs: store(inputs, aws),
  }),
  change: (before, inputs, aws) => {
    const { tags: _old, ...was } = before.inputs;
    const { tags: _new, ...is } = inputs;
    if (!same(was, is)) return store(inputs, aws);
    tagObject(aws.store.home, text(inputs, "bucket"), text(inputs, "key"), tagsIn(inputs));
    return tagsAll(inputs);
  },
  // The provider deletes every version of an object whose version it knows, so no noncurrent version is left.
  remove: ({ inputs }, aws) => deleteAllVersions(aws.store.home, text(inputs, "bucket"), text(inputs, "key")),
  read: ({ inputs }, aws) => {
    const object = getObject(aws.store.home, text(inputs, "bucket"), text(inputs, "key"));
    if (!object) return undefined;
    const { etag, contentType, versionId, tags } = object;
    return {
      etag,
      contentType,
      versionId,
      tagsAll: tags,
      ...(inputs.tags || Object.keys(tags).length > 0 ? { tags } : {}),
    };
  },
};
