/** Loaded into the process under test with `--import`: says on request what the process holds. */

/** What a process holds after a full collection. Sizes in bytes. */
export interface Holding {
  readonly heap: number;
  /** Buffers outside of the heap. */
  readonly external: number;
  readonly rss: number;
  /** Open handles and waiting requests by kind, as Node names them: `UDPWrap`, `Timeout`, `MessagePort` … */
  readonly resources: Readonly<Record<string, number>>;
}

process.on('message', () => {
  // Twice: what a finaliser lets go of in the first is collected in the second.
  globalThis.gc?.();
  setTimeout(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo())
      resources[kind] = (resources[kind] ?? 0) + 1;
    process.send?.({ heap: heapUsed, external, rss, resources } satisfies Holding);
  }, 100);
});
process.channel?.unref();
