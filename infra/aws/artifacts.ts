import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { EXPIRY_DAYS } from "./prune.ts";
import { named, type Tags } from "./tags.ts";

export interface ArtifactsArgs {
  stack: string;
  accountId: pulumi.Input<string>;
  /** Keep a bucket that has objects in it; default of the settings: in prod. */
  protect: boolean;
  tags: Tags;
}

/**
 * The private bucket that machines pull from: `desired.json`, releases and files by their hash, and each machine's status.
 * Versioned, encrypted, TLS only. What is replaced or deleted stays for 30 days as an older version; what is wanted never goes.
 *
 * ### Cost
 * S3 standard, 0.023 USD/GB and month: a release has 60 MB, thirty of them 0.04 USD. One request in 10 s and machine
 * (0.0004 USD for 1,000): 0.10 USD a month.
 */
export class Artifacts extends pulumi.ComponentResource {
  readonly bucket: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  /** What must be in place before an object is put there. */
  readonly guards: pulumi.Resource[];

  constructor(name: string, args: ArtifactsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mcp-edge:aws:Artifacts", name, {}, opts);
    const { stack, tags } = args;
    const child = { parent: this };
    const bucket = new aws.s3.Bucket(
      `${stack}-artifacts`,
      {
        // Names of buckets are the whole world's: the account makes it ours.
        bucket: pulumi.interpolate`mcp-edge-${stack}-${args.accountId}`,
        forceDestroy: !args.protect,
        tags: named(tags, `mcp-edge-${stack}`),
      },
      child,
    );
    const of = { bucket: bucket.id };
    const versioning = new aws.s3.BucketVersioning(
      `${stack}-artifacts-versions`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      child,
    );
    const closed = new aws.s3.BucketPublicAccessBlock(
      `${stack}-artifacts-private`,
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
      `${stack}-artifacts-owner`,
      { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
      child,
    );
    const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
      `${stack}-artifacts-encryption`,
      { ...of, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      child,
    );
    const policy = new aws.s3.BucketPolicy(
      `${stack}-artifacts-tls`,
      { ...of, policy: bucket.arn.apply((arn) => JSON.stringify(tlsOnly(arn))) },
      // Public policies are blocked first, whatever this one says.
      { parent: this, dependsOn: closed },
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${stack}-artifacts-expiry`,
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
      // Rules for versions that are not current want a versioned bucket.
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
