/** What a message may weigh. Beyond it is refused without looking further. */
export interface MessageLimits {
  /** Start line and headers with the empty line behind them. */
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly headerCount: number;
  /** One header, folded lines taken together. */
  readonly lineBytes: number;
}

export const defaultLimits: MessageLimits = {
  headBytes: 64 * 1024,
  bodyBytes: 64 * 1024,
  headerCount: 200,
  lineBytes: 8 * 1024,
};
