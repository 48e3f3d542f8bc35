import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { VmHandle } from "../../../src/runtime/machine/index.ts";
import {
  type ProvisionOptions,
  type ProvisionResult,
  provision,
} from "../../../src/runtime/provision/index.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import type { Base } from "../machine/bases.ts";
import type { Scratch } from "../machine/scratch.ts";

/** Builds of images from one base, in a directory of their own. */
export class Builds {
  readonly images: string;
  /** Where `build` writes to when it is told nothing else. */
  readonly out: string;
  readonly logs: string;
  private readonly base: Base;
  private readonly scratch: Scratch;

  constructor(scratch: Scratch, base: Base) {
    this.scratch = scratch;
    this.base = base;
    this.images = join(scratch.path, `images-${base.name}`);
    this.out = join(this.images, "made.tar.gz");
    this.logs = join(scratch.path, "logs");
  }

  build(
    install: (vm: VmHandle) => Promise<unknown>,
    more: Partial<ProvisionOptions> = {},
  ): Promise<ProvisionResult> {
    return provision({
      base: this.base.name,
      memory: this.base.options.memory,
      out: this.out,
      hostPackages: false,
      install: async (vm) => void (await install(vm)),
      ...more,
    });
  }

  /** What a failed or finished build must leave: no machine, no directory of one, no part of an image. */
  expectNothingLeft(): void {
    expect(list()).toEqual([]);
    expect(this.scratch.runDirs()).toEqual([]);
    const names = existsSync(this.images) ? readdirSync(this.images) : [];
    expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  }

  /** The log a failed build names in its error. */
  logOf(error: Error): string {
    const path = /The build's log is (.+)$/m.exec(error.message)?.[1];
    expect(path?.startsWith(this.logs)).toBe(true);
    return readFileSync(path!, "utf8");
  }
}
