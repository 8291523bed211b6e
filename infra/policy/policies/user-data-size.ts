import { USER_DATA_LIMIT } from "../../../cloud-init/user-data.ts";
import { about, type EdgePolicy } from "../policy.ts";
import { onUserData } from "../user-data.ts";

export const userDataSize: EdgePolicy = () => ({
  ...about({
    name: "user-data-size",
    severity: "medium",
    description: `User data has at most ${USER_DATA_LIMIT} bytes before base64.`,
    reason: "EC2 refuses more, but only after everything else in the stack has been created.",
    fix: "Compress it with gzip, or let the machine fetch large parts from the bucket.",
  }),
  validateResource: onUserData((bytes, report) => {
    if (bytes.length > USER_DATA_LIMIT) report(`it has ${bytes.length} bytes`);
  }),
});
