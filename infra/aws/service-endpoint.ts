import type { ProviderSettings } from "./provider-settings.ts";

/**
 * The base URL of a service: the stack's `aws:endpoints`, then the variables of AWS's own tools (AWS SDKs reference guide,
 * "Service-specific endpoints").
 * @param service the provider's name of the service, such as `ec2`
 * @returns "" for AWS's own endpoint
 */
export const endpointOf = (settings: ProviderSettings, service: string): string =>
  settings.endpoints?.[service] ??
  process.env[`AWS_ENDPOINT_URL_${service.toUpperCase().replaceAll("-", "_")}`] ??
  process.env.AWS_ENDPOINT_URL ??
  "";
