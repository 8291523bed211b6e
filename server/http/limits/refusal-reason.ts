/** Why a limit refused a request; a label of the metrics. */
export type RefusalReason = "rate_address" | "rate_token" | "quota" | "overload";
