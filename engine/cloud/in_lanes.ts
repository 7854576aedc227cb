/**
 * Runs an action for each index, several at once. The first failure, or the caller's signal, fires the signal of those that still run and
 * is thrown once all have ended.
 */
export async function inLanes(
  lanes: number,
  count: number,
  signal: AbortSignal | undefined,
  action: (index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  let next = 0;
  const lane = async () => {
    try {
      while (next < count) {
        controller.signal.throwIfAborted();
        await action(next++, controller.signal);
      }
    } catch (error) {
      controller.abort(error);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
    controller.signal.throwIfAborted();
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
