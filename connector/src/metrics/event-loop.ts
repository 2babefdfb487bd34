import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** How late the event loop was since it was last asked, in ms. */
export interface EventLoopLag {
  read(): { readonly p50: number; readonly p99: number; readonly max: number };
  close(): void;
}

// The probe's own period; what it measures is the lateness beyond it. Each probe wakes the process, so
// a shorter one would cost more than a call does.
const resolution = 50;

/** Watches this thread's event loop until closed. */
export function watchEventLoop(): EventLoopLag {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  const lateness = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  return {
    read() {
      // Nothing was measured yet: the histogram then says NaN or its largest number as the minimum.
      if (delays.count === 0) return { p50: 0, p99: 0, max: 0 };
      const lag = {
        p50: lateness(delays.percentile(50)),
        p99: lateness(delays.percentile(99)),
        max: lateness(delays.max),
      };
      delays.reset();
      return lag;
    },
    close: () => void delays.disable(),
  };
}

export function registerEventLoopLag(registry: Registry, lag: EventLoopLag): void {
  const gauge = new Gauge({
    name: 'parley_event_loop_lag_seconds',
    help: 'Lateness of the event loop since the last scrape.',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      const { p50, p99, max } = lag.read();
      gauge.set({ quantile: '0.5' }, p50 / 1000);
      gauge.set({ quantile: '0.99' }, p99 / 1000);
      gauge.set({ quantile: '1' }, max / 1000);
    },
  });
}
