import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { EXPIRY_DAYS } from "./prune.ts";
import { named, type Tags } from "./tags.ts";
import { type Transform, transformed } from "./transform.ts";

export interface ArtifactsArgs {
  /** Refuse to delete a bucket that has objects in it. */
  protect: boolean;
  tags: Tags;
  transform?: { bucket?: Transform<aws.s3.BucketArgs> } | undefined;
}

/**
 * The private bucket that machines pull from: `desired.json`, releases and files by their hash, and each machine's status.
 * Versioned, encrypted, TLS only. Replaced and deleted objects stay for 30 days as older versions; current objects never expire.
 *
 * ### Cost
 * S3 standard, 0.023 USD/GB and month: a release has 60 MB, thirty of them 0.04 USD. One request in 10 s and machine
 * (0.0004 USD for 1,000): 0.10 USD a month.
 */
export class Artifacts extends pulumi.ComponentResource {
  readonly bucket: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  /** These must exist before an object is written. */
  readonly guards: pulumi.Resource[];

  constructor(name: string, args: ArtifactsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Artifacts", name, {}, opts);
    const { tags } = args;
    const child = { parent: this };
    const bucket = new aws.s3.Bucket(
      ...transformed<aws.s3.BucketArgs>(
        args.transform?.bucket,
        `${name}-artifacts`,
        { forceDestroy: !args.protect, tags: named(tags, name) },
        // As in auto-name.ts; the name of a bucket is its input `bucket`.
        { parent: this, ignoreChanges: ["bucket"] },
      ),
    );
    const of = { bucket: bucket.id };
    const versioning = new aws.s3.BucketVersioning(
      `${name}-artifacts-versions`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      child,
    );
    const closed = new aws.s3.BucketPublicAccessBlock(
      `${name}-artifacts-private`,
      {
        ...of,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      child,
    );
    const owner = new aws.s3.BucketOwnershipControls(
      `${name}-artifacts-owner`,
      { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
      child,
    );
    const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-artifacts-encryption`,
      { ...of, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      child,
    );
    const policy = new aws.s3.BucketPolicy(
      `${name}-artifacts-tls`,
      { ...of, policy: bucket.arn.apply((arn) => JSON.stringify(tlsOnly(arn))) },
      // Public policies are blocked before the first policy is written.
      { parent: this, dependsOn: closed },
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-artifacts-expiry`,
      {
        ...of,
        rules: [
          {
            id: "old-versions",
            status: "Enabled",
            filter: { prefix: "" },
            noncurrentVersionExpiration: { noncurrentDays: EXPIRY_DAYS },
            expiration: { expiredObjectDeleteMarker: true },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          },
        ],
      },
      // Rules for noncurrent versions need a versioned bucket.
      { parent: this, dependsOn: versioning },
    );
    this.bucket = bucket.id;
    this.arn = bucket.arn;
    this.guards = [versioning, closed, owner, encryption, policy];
    this.registerOutputs({ bucket: this.bucket, arn: this.arn });
  }
}

function tlsOnly(arn: string): aws.iam.PolicyDocument {
  const everything = { Effect: "Deny" as const, Principal: "*", Action: "s3:*", Resource: [arn, `${arn}/*`] };
  return {
    Version: "2012-10-17",
    Statement: [
      { ...everything, Sid: "TlsOnly", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { ...everything, Sid: "Tls12", Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } } },
    ],
  };
}
