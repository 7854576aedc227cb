/** What the shared counters of a file synchronisation's job mean. */
export const JobCounter = {
  /** Entries listed, both sides together. */
  compared: 0,
  /** Length of the plan's spool file. */
  planned: 1,
  /** Steps carried out. */
  steps: 2,
  /** Bytes of file data copied. */
  bytes: 3,
  /** With a bandwidth limit: when the next byte may go, microseconds since 1970. */
  nextByte: 4,
} as const;
