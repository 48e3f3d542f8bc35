import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { temporaryDirectory } from "./temporary.ts";

/** What GNU cpio lists: name to `mode owner group` and so on, exactly as it prints them. */
export function listCpio(archive: string): Map<string, string> {
  const lines = execFileSync("cpio", ["-itv", "--numeric-uid-gid", "--quiet"], {
    input: readFileSync(archive),
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
  });
  const rows = lines.trim().split("\n");
  return new Map(
    rows.map((row) => {
      const pattern = /^(\S+ +\d+ +\d+ +\d+ +(?:\d+, *\d+|\d+)) \S+ +\d+ +\S+ (.*)$/;
      const [, columns, name] = pattern.exec(row)!;
      return [name!.split(" -> ")[0]!, `${columns!.replace(/\s+/g, " ")} ${name}`];
    }),
  );
}

/** Unpack with GNU cpio and return the directory. */
export function unpackCpio(archive: string): string {
  const directory = temporaryDirectory();
  execFileSync("cpio", ["-idm", "--quiet", "--no-absolute-filenames"], {
    input: readFileSync(archive),
    cwd: directory,
  });
  return directory;
}
