import { closeSync, openSync, readSync } from "node:fs";

/** The VMM's stats file: three little-endian 64-bit counters. */
export const STATS_FILE_SIZE = 24;

export interface BalloonCounters {
  /** Bytes the guest has reported free since the VMM started. */
  bytesReported: number;
  /** Bytes in the balloon of a fork or restored machine with less `memory` than its source; 0 for others. */
  bytesInflated: number;
  /** The VMM's footprint as macOS counts it; 0 on Linux. */
  hostPhysFootprintBytes: number;
}

/** Null when the file is missing, too short or unreadable. */
export function readBalloonStats(path: string): BalloonCounters | null {
  const bytes = Buffer.alloc(STATS_FILE_SIZE);
  try {
    const file = openSync(path, "r");
    try {
      if (readSync(file, bytes, 0, STATS_FILE_SIZE, 0) < STATS_FILE_SIZE) return null;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
  const counter = (index: number) => Number(bytes.readBigUInt64LE(index * 8));
  return {
    bytesReported: counter(0),
    bytesInflated: counter(1),
    hostPhysFootprintBytes: counter(2),
  };
}
