import { arn } from "../kind.ts";
import { text } from "../values.ts";
import { type Call, type Calls, call, calls, requestTags, type Subject, tagsIn } from "./calls.ts";

/** S3 and Systems Manager's parameters. */

const bucketArn = (s: Subject) => `arn:${s.aws.partition}:s3:::${text(s.inputs, "bucket")}`;
const objectArn = (s: Subject) => `${bucketArn(s)}/${text(s.inputs, "key")}`;
const tagged = (s: Subject) => Object.keys(tagsIn(s.inputs)).length > 0;

/** What the provider reads of each bucket, even if the program does not set it. */
const BUCKET_READS = [
  "ListBucket GetBucketPolicy GetBucketAcl GetBucketCORS GetBucketWebsite GetBucketVersioning GetAccelerateConfiguration",
  "GetBucketRequestPayment GetBucketLogging GetLifecycleConfiguration GetReplicationConfiguration",
  "GetEncryptionConfiguration GetBucketObjectLockConfiguration GetBucketLocation GetBucketTagging ListTagsForResource",
]
  .flatMap((line) => line.split(" "))
  .map((action) => `s3:${action}`)
  .join(" ");

const bucket: Calls = {
  make: (s) => [
    call("s3:CreateBucket", bucketArn(s)),
    ...(tagged(s) ? calls("s3:TagResource s3:PutBucketTagging", bucketArn(s)) : []),
  ],
  read: (s) => calls(BUCKET_READS, bucketArn(s)),
  remove: (s) => [
    ...(s.inputs.forceDestroy === true
      ? [
          call("s3:ListBucketVersions", bucketArn(s)),
          ...calls("s3:DeleteObject s3:DeleteObjectVersion", `${bucketArn(s)}/any`),
        ]
      : []),
    call("s3:DeleteBucket", bucketArn(s)),
  ],
  tags: { tag: "s3:TagResource", untag: "s3:UntagResource", resource: bucketArn },
};

/** A part of a bucket's configuration, with one action to write it and one to read it. Its deletion is a write or a third action. */
const part = (put: string, get: string, remove = put): Calls => ({
  make: (s) => [call(`s3:${put}`, bucketArn(s))],
  read: (s) => [call(`s3:${get}`, bucketArn(s))],
  change: (s) => [call(`s3:${put}`, bucketArn(s))],
  remove: (s) => [call(`s3:${remove}`, bucketArn(s))],
});

const putObject = (s: Subject): Call[] => [
  call("s3:PutObject", objectArn(s)),
  ...(tagged(s) ? [call("s3:PutObjectTagging", objectArn(s), requestTags(tagsIn(s.inputs)))] : []),
];

const bucketObject: Calls = {
  make: putObject,
  read: (s) => calls("s3:GetObject s3:GetObjectTagging", objectArn(s)),
  change: (s, before, changed) => {
    if (changed.size > 0) return putObject(s);
    return tagged(s)
      ? calls("s3:GetObjectTagging s3:PutObjectTagging", objectArn(s))
      : tagged({ ...s, inputs: before })
        ? calls("s3:GetObjectTagging s3:DeleteObjectTagging", objectArn(s))
        : [];
  },
  remove: (s) => [
    call("s3:ListBucketVersions", bucketArn(s)),
    ...calls("s3:DeleteObject s3:DeleteObjectVersion", objectArn(s)),
  ],
};

const parameterArn = (s: Subject) => {
  const name = text(s.inputs, "name");
  return arn(s.aws, "ssm", `parameter${name.startsWith("/") ? "" : "/"}${name}`);
};

const parameter: Calls = {
  make: (s) => [
    call("ssm:PutParameter", parameterArn(s), requestTags(tagsIn(s.inputs))),
    ...(tagged(s) ? [call("ssm:AddTagsToResource", parameterArn(s), requestTags(tagsIn(s.inputs)))] : []),
  ],
  read: (s) => [
    ...calls("ssm:GetParameter ssm:ListTagsForResource", parameterArn(s)),
    call("ssm:DescribeParameters", arn(s.aws, "ssm", "*")),
  ],
  change: (s, _before, changed) => (changed.size > 0 ? [call("ssm:PutParameter", parameterArn(s))] : []),
  remove: (s) => [call("ssm:DeleteParameter", parameterArn(s))],
  tags: { tag: "ssm:AddTagsToResource", untag: "ssm:RemoveTagsFromResource", resource: parameterArn },
};

export const STORAGE_CALLS: Record<string, Calls> = {
  "aws:s3/bucket:Bucket": bucket,
  "aws:s3/bucketVersioning:BucketVersioning": part("PutBucketVersioning", "GetBucketVersioning"),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": part(
    "PutEncryptionConfiguration",
    "GetEncryptionConfiguration",
  ),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": part(
    "PutBucketPublicAccessBlock",
    "GetBucketPublicAccessBlock",
  ),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": part(
    "PutBucketOwnershipControls",
    "GetBucketOwnershipControls",
  ),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": part(
    "PutLifecycleConfiguration",
    "GetLifecycleConfiguration",
  ),
  "aws:s3/bucketPolicy:BucketPolicy": part("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"),
  "aws:s3/bucketObjectv2:BucketObjectv2": bucketObject,
  "aws:ssm/parameter:Parameter": parameter,
};
