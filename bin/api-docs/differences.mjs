// Where the library does something else than version 0.1 of its interface promises, a sentence each.
export const differences = [
  "A fork or restored machine can be given less `memory` than its source has, by a balloon that takes what its programs do not use (docs/forking.md). It cannot have more: a larger `memory` is accepted, `onLog` is told that the machine goes on with its source's.",
  "It also has the mount of its source, with what was written to it. A `mount` of its own is copied to its root once it runs, and bound to its place before the call returns: `mountDiskUpperSizeBytes` does not limit it.",
  "Its `env` and `guestCwd` are those of commands started from then on; what runs keeps its own.",
  "`image`, `kernel`, `dtb` and `rootDisk` of a fork or restore must exist and are not used, nor is `rootDiskSizeBytes`: the machine carries its own.",
<<<<<<< HEAD
  "Machines are saved whole from outside: there is no scratch disk in the guest (`diskPath` is set only when `snapshot` is a path, which must exist, is not attached, and brings no `cmd` with it), and `dumpCmd` is not run.",
=======
  "Machines are saved whole from outside, so nothing in the guest needs a scratch disk for it: there is one only when `snapshot` is a path, and `dumpCmd` is not run.",
>>>>>>> main
  "The connections a guest had end in every copy of it: `tcpClose` and `tcpKeep` have no effect.",
  "Bundles are verified whole before they start: `lazy` has no effect and `lazyPagesPending` is 0.",
  "An image given as `rootDisk` is never written to: what the guest writes ends with the machine.",
  "A machine that starts from a template has printed no boot messages; `template: false` boots it from nothing.",
  "`detached` waits until the guest is ready, not for its first byte, unless `binary` is a program of your own.",
  "`hostAddr` is an IPv4 address; a machine has at most 64 forwards and 16 live mounts, none inside another.",
  "With `onStdout` or `onStderr` the result holds the last 16 MiB of what was streamed, so that any length can be; a callback that returns a promise is waited for, and holds the command back.",
  "`hostRssBytes` of a machine counts its QEMU too, and pages that several machines share in proportion.",
  "Bases and kernels lie in `~/.machinen/assets` under names of their own (`machinen install`); on x86-64 there is no device tree, so `provision` asks for one only when `dtb` names it.",
  "Machines only read cached images and need no `.ok` mark: that is for callers of `ensureRootfsImage` who write. The disks of a mount may be others than `/dev/vdc` and `/dev/vdd`.",
  "`ensureRootfsImage` reports `gunzip-prebake` for a tarball compressed with gzip, and `e2fsck` only for an image that was written to.",
  "`list()` keeps the record of a dead machine that has left files, for `runGc()` to remove; `runGc()` also reports what never got into the registry.",
  "Nothing but the VMM runs beside a machine: `gvproxyPid`, `gvproxyExe` and `liveMountServers` of a record stay unset.",
];
