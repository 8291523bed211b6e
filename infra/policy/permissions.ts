import type { ReportViolation, ResourceValidation } from "@pulumi/policy";
import { on, TYPE } from "./policy.ts";
import { type Statement, statementsOf } from "./statements.ts";

interface Checks {
  /** Called with each statement that allows something. */
  statement: (statement: Statement, report: ReportViolation) => void;
  /** Called with the ARN of each managed policy. */
  managed: (arn: string, report: ReportViolation) => void;
}

/** Checks every place where the program grants permissions to a role. */
export function permissions({ statement, managed }: Checks): ResourceValidation[] {
  const check = (document: unknown, report: ReportViolation) => {
    for (const one of statementsOf(document)) if (one.effect === "Allow") statement(one, report);
  };
  return [
    on(TYPE.policy, (props, _, report) => check(props.policy, report)),
    on(TYPE.rolePolicy, (props, _, report) => check(props.policy, report)),
    on(TYPE.role, (props, _, report) => {
      for (const inline of props.inlinePolicies ?? []) check(inline.policy, report);
      for (const arn of props.managedPolicyArns ?? []) managed(String(arn), report);
    }),
    on(TYPE.rolePolicyAttachment, (props, _, report) => managed(String(props.policyArn), report)),
  ];
}
