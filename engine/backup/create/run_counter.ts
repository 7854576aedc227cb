/** What the shared counters of a backup's job mean. */
export const RunCounter = {
  /** Length of the spool file. */
  spool: 0,
  /** The next directory's number. */
  directories: 1,
  /** Entries of the source looked at. */
  entries: 2,
  /** Files read, and bytes of them. */
  files: 3,
  bytes: 4,
  /** Bytes of chunks that the repository did not have. */
  newBytes: 5,
} as const;
