export { BuildInterrupted, type BuildRequest } from "./build.ts";
export { ensureTemplate } from "./ensure.ts";
export { readInputs, type TemplateRequest, TUNING, templateKey } from "./key.ts";
export { collectTemplates, type RemovedTemplate } from "./limit.ts";
export type { Template } from "./store.ts";
export { isVerified, noteVerified } from "./verified.ts";
export { warmUp } from "./warm-up.ts";
