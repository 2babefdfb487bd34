/** How a request to change the agent of one call went, in closed words for metrics. */
export interface OverrideOutcome {
  readonly source: 'webhook' | 'header';
  /** `none`: nothing is to change; `refused`: who asks may not; `failed`: no answer was had. */
  readonly outcome: 'ok' | 'none' | 'invalid' | 'refused' | 'failed';
}
