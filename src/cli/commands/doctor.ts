import { defineCommand, jsonFlag } from "../command.ts";
import type { Check } from "../doctor-checks.ts";
import { printJson, printLine, table } from "../output.ts";

const marks: Record<Check["state"], string> = { ok: "ok", absent: "--", broken: "!!" };

export const doctor = defineCommand({
  name: "doctor",
  summary: "Show what is usable here, and what to do about the rest",
  flags: { json: jsonFlag },
  examples: [{ command: "machinen doctor", does: "look at everything machinen needs" }],
  async run({ flags }, context) {
    const { runChecks } = await import("../doctor-checks.ts");
    const checks = await runChecks(context.stdout);
    if (flags.json) printJson(context.stdout, checks);
    else {
      printLine(
        context.stdout,
        table(checks.map(({ state, name, detail }) => [marks[state], name, detail])),
      );
      for (const { name, nextStep } of checks)
        if (nextStep) printLine(context.stdout, `next for ${name}: ${nextStep}`);
    }
    return checks.some(({ state }) => state === "broken") ? 1 : 0;
  },
});
