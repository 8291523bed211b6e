import type { PolicyResource } from "@pulumi/policy";
import { known, refersTo } from "../known.ts";
import { about, type EdgePolicy, TYPE } from "../policy.ts";
import { isEverybody, type Statement, statementsOf } from "../statements.ts";

const NEEDED = {
  [TYPE.publicAccessBlock]: "no BucketPublicAccessBlock",
  [TYPE.bucketEncryption]: "no encryption configured (BucketServerSideEncryptionConfiguration)",
  [TYPE.bucketVersioning]: "no versioning (BucketVersioning)",
  [TYPE.bucketPolicy]: "no policy that refuses requests without TLS (BucketPolicy)",
};

/** Whether the statement denies everybody all requests without TLS. */
function refusesPlain({ effect, principal, actions, condition }: Statement): boolean {
  const plain = condition?.Bool?.["aws:SecureTransport"];
  return (
    effect === "Deny" &&
    isEverybody(principal) &&
    actions.some((a) => a === "*" || a === "s3:*") &&
    String(plain) === "false"
  );
}

function problemsOf(bucket: PolicyResource, resources: PolicyResource[]): string[] {
  const own = resources.filter(
    (one) => one.type in NEEDED && refersTo(one, "bucket", bucket, ["id", "bucket"]),
  );
  const problems = Object.entries(NEEDED).flatMap(([type, problem]) =>
    own.some((one) => one.type === type) ? [] : [problem],
  );
  for (const one of own) {
    if (one.type === TYPE.bucketVersioning) {
      const status = known(() => one.props.versioningConfiguration?.status);
      if (status !== undefined && status !== "Enabled") problems.push(`versioning is ${status}`);
    }
    const policy = one.type === TYPE.bucketPolicy ? known(() => one.props.policy) : undefined;
    if (policy !== undefined && !statementsOf(policy).some(refusesPlain)) {
      problems.push("its policy does not refuse requests without TLS (aws:SecureTransport)");
    }
  }
  return problems;
}

export const guardedBucket: EdgePolicy = () => ({
  ...about({
    name: "guarded-bucket",
    severity: "high",
    description:
      "Every bucket blocks public access, encrypts its objects, keeps versions and refuses requests without TLS.",
    reason:
      "each of these is a separate resource, so a missing one goes unnoticed. Versions allow the rollback of a release that was overwritten.",
    fix: "Create the missing resource with `bucket` set to this bucket's id.",
  }),
  validateStack: ({ resources }, report) => {
    for (const bucket of resources.filter(({ type }) => type === TYPE.bucket)) {
      for (const problem of problemsOf(bucket, resources))
        report(`bucket ${bucket.name}: ${problem}`, bucket.urn);
    }
  },
});
