import type { ReportViolation } from "@pulumi/policy";
import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

interface Options {
  httpEndpoint?: string;
  httpTokens?: string;
  httpPutResponseHopLimit?: number;
}

function judge(options: Options | undefined, report: ReportViolation): void {
  if (options?.httpEndpoint === "disabled") return;
  if (options?.httpTokens !== "required") report("metadataOptions.httpTokens is not required");
  if (options?.httpPutResponseHopLimit !== 1) report("metadataOptions.httpPutResponseHopLimit is not 1");
}

export const imdsV2: EdgePolicy = () => ({
  ...about({
    name: "imdsv2",
    severity: "critical",
    description: "The metadata service asks for a token, and its answers go one hop.",
    reason:
      "without the token, one request that the server can be made to send (SSRF) hands out the role's credentials.",
    mend: 'metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 }',
  }),
  validateResource: [
    on(TYPE.instance, (props, _, report) => judge(props.metadataOptions, report)),
    on(TYPE.launchTemplate, (props, _, report) => judge(props.metadataOptions, report)),
  ],
});
