/** Ends `until` at once: waiting longer cannot help. */
export class Hopeless extends Error {}

/** Waits for `isDone`, asking every 20 ms; the last error it threw is the cause when time is up. */
export async function until(
  what: string,
  limit: number,
  isDone: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limit;
  let cause: unknown;
  while (performance.now() < end) {
    try {
      if (await isDone()) return;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      cause = error;
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`waited ${limit / 1000} s for ${what}`, { cause });
}
