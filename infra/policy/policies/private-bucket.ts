import { about, type EdgePolicy, on, TYPE } from "../policy.ts";
import { isEverybody, statementsOf } from "../statements.ts";

const PUBLIC_ACLS = ["public-read", "public-read-write", "authenticated-read"];
const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const privateBucket: EdgePolicy = () => ({
  ...about({
    name: "private-bucket",
    severity: "critical",
    description: "Buckets and their objects are not public.",
    reason: "the bucket holds the releases that the machines run, and the logs of their deployments.",
    fix: "Remove the public ACL or statement, and set all four options of BucketPublicAccessBlock.",
  }),
  validateResource: [
    on(TYPE.bucket, (props, _, report) => {
      if (PUBLIC_ACLS.includes(props.acl)) report(`its ACL is ${props.acl}`);
    }),
    on(TYPE.bucketAcl, (props, _, report) => {
      if (PUBLIC_ACLS.includes(props.acl)) report(`its ACL is ${props.acl}`);
    }),
    on(TYPE.publicAccessBlock, (props, _, report) => {
      for (const block of BLOCKS) if (props[block] !== true) report(`${block} is not true`);
    }),
    on(TYPE.bucketPolicy, (props, _, report) => {
      for (const statement of statementsOf(props.policy)) {
        if (statement.effect === "Allow" && isEverybody(statement.principal)) {
          report(`everybody is allowed ${statement.actions.join(", ") || "what is not excluded"}`);
        }
      }
    }),
  ],
});
