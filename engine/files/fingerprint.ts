/**
 * What tells the content of the version that both sides of a pair had, where size and modification time do not: an edit may keep both
 * (`touch -r`, an archive with whole seconds), and a time may change alone. Only pairs that are kept equal in both directions have
 * it.
 *
 * It is a statement about one moment: at that change time a side's file had that content. A side whose change time is still the same is
 * believed to have it; one whose change time is another one (`chmod`, `rename` and `link` change it, too) is read. So nothing has to
 * be undone where a run is killed: a statement that is out of date costs a reading.
 */
export interface Fingerprint {
  /**
   * SHA-256. Undefined where no run has had the content in hand: where a first run found the same size and time on both sides, and of
   * large files that were copied in parts, without their holes or by sharing blocks. Then a side whose change time is still the same has
   * the common version.
   */
  hash: Uint8Array | undefined;
  /** When the source's inode last changed, at the time of this content; NaN, which equals no time, where that is not known. */
  ctime: number;
  ctimeNs: number;
  /** The target's. */
  targetCtime: number;
  targetCtimeNs: number;
}

/** A moment, as an inode has it. */
export interface ChangeTime {
  ctime: number;
  ctimeNs: number;
}

export const UNKNOWN_TIME: Readonly<ChangeTime> = { ctime: NaN, ctimeNs: 0 };

/** The steps in which clocks of file systems go, milliseconds, with room: the kernel's, and that of those with whole seconds. */
export const CLOCK_STEP_MS = 20;
const COARSE_STEP = 2_000;

/**
 * A change time, unless it is so new that another change could leave the same one.
 * @param lookedAt when the inode was looked at, before its content was read, milliseconds since 1970
 */
export function settledTime({ ctime, ctimeNs }: ChangeTime, lookedAt: number): ChangeTime {
  const step = ctimeNs === 0 ? COARSE_STEP : CLOCK_STEP_MS;
  return ctime * 1_000 + ctimeNs / 1e6 < lookedAt - step ? { ctime, ctimeNs } : UNKNOWN_TIME;
}

/** @param hash of both sides' files, which had these change times then */
export function fingerprint(hash: Uint8Array | undefined, source: ChangeTime, target: ChangeTime): Fingerprint {
  return {
    hash,
    ctime: source.ctime,
    ctimeNs: source.ctimeNs,
    targetCtime: target.ctime,
    targetCtimeNs: target.ctimeNs,
  };
}

/** As a run in the other direction sees it. */
export function swapFingerprint({ hash, ctime, ctimeNs, targetCtime, targetCtimeNs }: Fingerprint): Fingerprint {
  return { hash, ctime: targetCtime, ctimeNs: targetCtimeNs, targetCtime: ctime, targetCtimeNs: ctimeNs };
}

/** Whether both are hashes, and of the same content. */
export function isSameHash(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
