/** A file of the tiny base; `target` makes it a symbolic link. */
export interface TreeFile {
  path: string;
  mode?: number;
  content?: string;
  target?: string;
}

/** Changes whenever the tree below does, so that an older installed base is made anew. */
export const TINY_RECIPE = 1;

const PROFILE = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME="\${HOME:-/root}"
export PAGER=less
umask 022
PS1='\\u@\\h:\\w\\$ '
alias ll='ls -l'
for script in /etc/profile.d/*.sh; do
    [ -r "$script" ] && . "$script"
done
unset script
`;

const DIRECTORIES: [string, number][] = [
  ["bin", 0o755],
  ["dev", 0o755],
  ["etc", 0o755],
  ["etc/profile.d", 0o755],
  ["home", 0o755],
  ["mnt", 0o755],
  ["opt", 0o755],
  ["proc", 0o555],
  ["root", 0o700],
  ["run", 0o755],
  ["sbin", 0o755],
  ["sys", 0o555],
  ["tmp", 0o1777],
  ["usr", 0o755],
  ["usr/bin", 0o755],
  ["usr/sbin", 0o755],
  ["usr/local", 0o755],
  ["usr/local/bin", 0o755],
  ["usr/local/sbin", 0o755],
  ["var", 0o755],
  ["var/log", 0o755],
  ["var/tmp", 0o1777],
];

const FILES: [string, string][] = [
  [
    "etc/passwd",
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  ],
  ["etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"],
  ["etc/shells", "/bin/sh\n/bin/ash\n"],
  ["etc/hostname", "machinen\n"],
  ["etc/hosts", "127.0.0.1 localhost\n127.0.1.1 machinen\n::1 localhost\n"],
  ["etc/resolv.conf", "nameserver 10.0.2.3\n"],
  ["etc/os-release", 'NAME="machinen tiny"\nID=machinen-tiny\nPRETTY_NAME="machinen tiny"\n'],
  ["etc/profile", PROFILE],
];

/** Directories of the tiny base with their modes, parents first. */
export const tinyDirectories = (): readonly [string, number][] => DIRECTORIES;

/** Everything in the tiny base but its directories and the busybox binary at `bin/busybox`. */
export function tinyFiles(applets: string[]): TreeFile[] {
  const files: TreeFile[] = FILES.map(([path, content]) => ({ path, content, mode: 0o644 }));
  for (const applet of applets) {
    // Our own PID 1 is the init of every guest; busybox must not stand in its place.
    if (!/^((usr\/)?s?bin)\/[^/]+$/.test(applet) || /\/(init|busybox)$/.test(applet)) continue;
    files.push({ path: applet, target: "/bin/busybox" });
  }
  return files;
}
