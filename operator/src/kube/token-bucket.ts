import type { Clock } from '@parley/connector/base/clock';

/** Spreads what comes too fast. */
export interface TokenBucket {
  /** Takes a token, on credit if need be; returns after how many ms it may be used. */
  take(): number;
  /** Takes a token only if there is one. */
  tryTake(): boolean;
}

export function createTokenBucket(options: {
  readonly clock: Clock;
  readonly perSecond: number;
  readonly burst: number;
}): TokenBucket {
  const { clock, perSecond, burst } = options;
  let tokens = burst;
  let at = clock.now();
  const refill = (): void => {
    const now = clock.now();
    tokens = Math.min(burst, tokens + ((now - at) * perSecond) / 1000);
    at = now;
  };
  return {
    take() {
      refill();
      tokens -= 1;
      return tokens >= 0 ? 0 : (-tokens * 1000) / perSecond;
    },
    tryTake() {
      refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
