import { FilesError } from "../errors.ts";

/** What a client may say to the files service (docs/protocol.md, 3.4). */

/** What comes as input is an archive; its files are to be made below `guestPath`. */
export function pushRequest(guestPath: string, owner: boolean): Buffer {
  const path = pathBytes(guestPath);
  return Buffer.concat([Buffer.from(`PUSH ${owner ? 1 : 0} ${path.length}\n`), path]);
}

/** An archive of `guestPath` is to come as output; without `name` of what the directory holds. */
export function pullRequest(guestPath: string, name: string, excludes: readonly string[]): Buffer {
  const path = pathBytes(guestPath);
  const top = pathBytes(name);
  const patterns = Buffer.concat(
    excludes.flatMap((pattern) => {
      const bytes = pathBytes(pattern);
      return [Buffer.from(`${bytes.length} `), bytes];
    }),
  );
  const head = Buffer.from(`PULL ${path.length} ${top.length} ${patterns.length}\n`);
  return Buffer.concat([head, path, top, patterns]);
}

/** What `guestPath` is, itself and where its links lead. */
export function statRequest(guestPath: string): Buffer {
  const path = pathBytes(guestPath);
  return Buffer.concat([Buffer.from(`STAT ${path.length}\n`), path]);
}

function pathBytes(path: string): Buffer {
  if (!path.includes("\0")) return Buffer.from(path);
  throw new FilesError(
    "FILES_TRANSFER_FAILED",
    `the path ${JSON.stringify(path)} holds a NUL byte: no file can have that name`,
  );
}
