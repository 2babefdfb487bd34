/** Also as the first process of a container, which no signal ends that it does not listen to. */
const signals = ['SIGTERM', 'SIGINT'] as const;

/** Signals that end the process, and who is told of them now. */
export interface Orders {
  /** Tells `onSignal`, and nobody else, of signals from now on; of those that came before at once. */
  listen(onSignal: (signal: string) => void): void;
}

/** Listens once and for all: a signal that comes while one listener replaces another would be lost. */
export function listenToSignals(): Orders {
  let early: string[] = [];
  let tell = (signal: string): void => void early.push(signal);
  for (const signal of signals) process.on(signal, () => tell(signal));
  return {
    listen(onSignal) {
      tell = onSignal;
      const missed = early;
      early = [];
      for (const signal of missed) onSignal(signal);
    },
  };
}
