import { type BuildRequest, buildTemplate } from "./build.ts";
import { enforceLimit } from "./limit.ts";
import { withBuildLock } from "./lock.ts";
import { discardTemplate, findTemplate, type Template, touchTemplate } from "./store.ts";

/** Builds under way in this process. */
const building = new Map<string, Promise<Template>>();

async function build(request: BuildRequest, damaged: string | undefined): Promise<Template> {
  return withBuildLock(request.key, async () => {
    // Another process may have built it while we waited.
    const found = findTemplate(request.key);
    if (found && found.instance !== damaged) return found;
    discardTemplate(request.key);
    const template = await buildTemplate(request);
    enforceLimit();
    return template;
  });
}

/**
 * The template of a key, built now when there is none. However many ask at once, in whatever process, one
 * builds it. `damaged` is the instance a VMM could not load: that one is replaced.
 */
export async function ensureTemplate(request: BuildRequest, damaged?: Template): Promise<Template> {
  const { key } = request;
  let template = findTemplate(key);
  if (!template || template.instance === damaged?.instance) {
    let promise = building.get(key);
    if (!promise) {
      promise = build(request, damaged?.instance).finally(() => building.delete(key));
      building.set(key, promise);
    }
    template = await promise;
  }
  touchTemplate(template);
  return template;
}
