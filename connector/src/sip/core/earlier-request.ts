import type { TransactionId } from '../user-agent.ts';

/** How an earlier process knew a request. */
export interface EarlierRequest {
  readonly id: TransactionId;
  readonly toTag: string;
  readonly dialog: string;
  /** Of the dialog, which a BYE has ended. */
  readonly owner?: string | undefined;
  /** Its 2xx waits for the ACK: status and bytes. */
  readonly answer?: { readonly status: number; readonly bytes: Buffer };
}
