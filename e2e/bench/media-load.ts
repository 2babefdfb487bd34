import { runPinned } from './processes.ts';

interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What `load` (Go, in `load/`) prints. Times in ms. */
export interface LoadReport {
  readonly calls: number;
  readonly cpuMsPerCallSecond: number;
  readonly loadCpuMsPerCallSecond: number;
  readonly rssBeforeKiB: number;
  readonly rssKiB: number;
  readonly framesSent: number;
  readonly framesLost: number;
  readonly setupMs: Quantiles;
  readonly ingressMs: Quantiles;
  readonly roundTripMs: Quantiles;
  readonly afterStallMs?: Quantiles;
  readonly bargeInMs?: Quantiles;
  readonly bargeInsMissing?: number;
  readonly failure?: string;
}

export interface Load {
  readonly binary: string;
  readonly sip: string;
  readonly model: string;
  readonly pid: number;
}

/** Places `calls` on the process under test from core 1 and waits for the report. */
export function measure(load: Load, mode: 'echo' | 'stall' | 'bargein', calls: number): LoadReport {
  const flags = `-mode ${mode} -calls ${calls} -sip ${load.sip} -model ${load.model} -pid ${load.pid}`;
  const output = runPinned(1, `${load.binary} ${flags} -warm 10s -window 8s`, 120_000);
  const report = JSON.parse(output) as LoadReport;
  if (report.failure !== undefined) throw new Error(`${mode} at ${calls} calls: ${report.failure}`);
  return report;
}
