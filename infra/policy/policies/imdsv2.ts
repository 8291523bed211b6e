import type { ReportViolation } from "@pulumi/policy";
import { about, type EdgePolicy, on, TYPE } from "../policy.ts";

interface Options {
  httpEndpoint?: string;
  httpTokens?: string;
  httpPutResponseHopLimit?: number;
}

function check(options: Options | undefined, report: ReportViolation): void {
  if (options?.httpEndpoint === "disabled") return;
  if (options?.httpTokens !== "required") report("metadataOptions.httpTokens is not required");
  if (options?.httpPutResponseHopLimit !== 1) report("metadataOptions.httpPutResponseHopLimit is not 1");
}

export const imdsV2: EdgePolicy = () => ({
  ...about({
    name: "imdsv2",
    severity: "critical",
    description: "The metadata service requires a token, and its hop limit is 1.",
    reason:
      "without the token, a single forged request (SSRF) is enough to read the credentials of the machine's role.",
    fix: 'Set metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 }',
  }),
  validateResource: [
    on(TYPE.instance, (props, _, report) => check(props.metadataOptions, report)),
    on(TYPE.launchTemplate, (props, _, report) => check(props.metadataOptions, report)),
  ],
});
