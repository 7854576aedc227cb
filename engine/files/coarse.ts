/** Steps of modification times on file systems that keep coarser ones, nanoseconds: NTFS, most networks, exFAT, ext3, FAT. */
const COARSE_STEPS = [100, 1e3, 1e6, 1e7, 1e9, 2e9];

interface Time {
  mtime: number;
  mtimeNs: number;
}

/** Whether a time is another one, or that one as a file system with coarser times has cut it. */
export function isSameTime(whole: Time, cut: Time): boolean {
  if (whole.mtime === cut.mtime && whole.mtimeNs === cut.mtimeNs) return true;
  return COARSE_STEPS.some((step) => {
    const nanoseconds = step < 1e9 ? whole.mtimeNs - whole.mtimeNs % step : 0;
    const seconds = step <= 1e9 ? whole.mtime : whole.mtime - whole.mtime % 2;
    return cut.mtimeNs === nanoseconds && cut.mtime === seconds;
  });
}
