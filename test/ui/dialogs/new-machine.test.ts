import { homedir } from "node:os";
import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/ui/config/settings.ts";
import { dialogView } from "../../../src/ui/dialogs/dialog-views.ts";
import {
  type FormField,
  newMachineFields,
  newMachineOptions,
} from "../../../src/ui/dialogs/new-machine.ts";
import { type Action, initialState, reduce, type UiState } from "../../../src/ui/state.ts";

const filled = (texts: Partial<Record<FormField["name"], string>>): FormField[] =>
  newMachineFields(defaultSettings).map((field) => ({
    ...field,
    text: texts[field.name] ?? field.text,
  }));

describe("the new-machine dialog", () => {
  it("asks for what its lines say", () => {
    expect(newMachineOptions(filled({}))).toEqual({
      name: undefined,
      image: "tiny",
      memoryMib: 512,
      mount: undefined,
      portForward: undefined,
      command: undefined,
    });
    expect(
      newMachineOptions(
        filled({
          name: " web ",
          ports: "8080:80, 2222:22",
          mount: "./a:b:/mnt/a",
          live: "~/notes:/mnt/notes:ro",
          command: "top -b",
        }),
      ),
    ).toMatchObject({
      name: "web",
      portForward: [
        { hostPort: 8080, guestPort: 80 },
        { hostPort: 2222, guestPort: 22 },
      ],
      mount: { host: "./a:b", guest: "/mnt/a" },
      liveMounts: [{ host: `${homedir()}/notes`, guest: "/mnt/notes", mode: "ro" }],
      command: ["/bin/sh", "-c", "top -b"],
    });
  });

  it.each([
    [{ memory: "lots" }, "Memory"],
    [{ cpus: "0" }, "CPUs"],
    [{ ports: "80" }, "Ports"],
    [{ ports: "0:80" }, "Ports"],
    [{ mount: "/a:/etc" }, "Mount"],
    [{ live: "/a" }, "Live mount"],
  ])("refuses %j", (texts, line) => {
    expect(() => newMachineOptions(filled(texts))).toThrow(line);
  });
});

describe("a machine that is made as the dialog says", () => {
  const fields = filled({ name: "web", image: "/no/such/image.tar" });
  const error = "starting web: BOOT_IMAGE_NOT_FOUND: no image\nnext: machinen install tiny";
  const opened: Action = { type: "dialog-opened", dialog: { kind: "form", fields, index: 2 } };
  const sent: Action = { type: "form-sent" };
  const failed: Action = { type: "form-failed", fields, error };
  const closed: Action = { type: "dialog-closed" };
  const task = { id: 1, label: "starting web", starts: true, shown: true };
  const after = (...actions: Action[]): UiState => actions.reduce(reduce, initialState(100, 30, 0));
  const text = (state: UiState): string =>
    (dialogView(state)?.lines ?? []).map(({ key, text }) => `${key ?? ""} ${text}`).join("\n");

  it("is under way in the dialog, which takes no keys then, and closes it", () => {
    const state = after(opened, sent, { type: "task-began", task });
    expect(text(state)).toContain("starting web…");
    expect(reduce(state, { type: "dialog-edited", text: "other" }).dialog).toEqual(state.dialog);
    expect(reduce(state, { type: "form-done", fields }).dialog).toBeUndefined();
    // Another dialog, opened meanwhile, stays.
    const other = after(opened, sent, closed, opened);
    expect(reduce(other, { type: "form-done", fields }).dialog).toBeDefined();
  });

  it("that fails brings the dialog back with all that was typed, the error and the next step", () => {
    for (const state of [after(opened, sent, failed), after(opened, sent, closed, failed)]) {
      expect(state.dialog).toMatchObject({ kind: "form", fields, error });
      expect(text(state)).toMatch(/Name +web[\s\S]*Image +\/no[\s\S]*BOOT_IMAGE[\s\S]*next: mach/);
      const edited = reduce(state, { type: "dialog-edited", text: "y" });
      expect(text(edited)).not.toContain("BOOT_IMAGE_NOT_FOUND");
    }
  });

  it("that fails while the user is busy waits with what was typed for the next dialog", () => {
    const help: Action = { type: "dialog-opened", dialog: { kind: "help", scroll: 0 } };
    const state = after(opened, sent, closed, help, failed);
    expect(state.dialog?.kind).toBe("help");
    expect(state.draft).toEqual({ fields, error });
    const again = reduce(state, {
      type: "dialog-opened",
      dialog: { kind: "form", ...state.draft!, index: 0 },
    });
    expect(again.draft).toBeUndefined();
    expect(text(again)).toContain("BOOT_IMAGE_NOT_FOUND");
  });

  it("shows the line that is typed into, its end, and the error on every screen", () => {
    for (let rows = 10; rows <= 40; rows++) {
      for (const cols of [40, 80, 200]) {
        for (let index = 0; index < fields.length; index++) {
          const long = fields.map((field, at) =>
            at === index ? { ...field, text: `${"x".repeat(200)}END` } : field,
          );
          const state = after(
            { type: "resized", cols, rows },
            { type: "dialog-opened", dialog: { kind: "form", fields: long, index } },
            { type: "form-refused", error: "CODE: why" },
          );
          const view = dialogView(state)!;
          expect(view.height, `${cols}x${rows}`).toBeLessThanOrEqual(rows - 1);
          expect(text(state)).toMatch(/▸ .*END█/);
          expect(text(state)).toContain("CODE: why");
        }
      }
    }
  });
});
