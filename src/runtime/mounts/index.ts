export { collectMountImages, enforceMountLimit } from "./limit.ts";
export {
  type MountDisk,
  type MountPlan,
  mountRecord,
  mountVariables,
  prepareMount,
  upperBytesOf,
} from "./mount-disk.ts";
