/** Why a limit refused a request. This is a label of the metrics. */
export type RefusalReason = "rate_address" | "rate_token" | "quota" | "overload";
