import { USER_DATA_LIMIT } from "../../../cloud-init/user-data.ts";
import { about, type EdgePolicy } from "../policy.ts";
import { onUserData } from "../user-data.ts";

export const userDataSize: EdgePolicy = () => ({
  ...about({
    name: "user-data-size",
    severity: "medium",
    description: `User-data has at most ${USER_DATA_LIMIT} bytes before base64.`,
    reason: "EC2 refuses more, and says so only when everything else of the stack is made.",
    mend: "Gzip it, or let the machine fetch what is large from the bucket.",
  }),
  validateResource: onUserData((bytes, report) => {
    if (bytes.length > USER_DATA_LIMIT) report(`it has ${bytes.length} bytes`);
  }),
});
