export type { ProvisionOptions, ProvisionResult } from "./options.ts";
export { provision } from "./provision.ts";
