import {
  drainPath,
  type PodStatus,
  podStatusSchema,
  statusPath,
} from '@parley/connector/contract/pod';

/** Where a pod listens, and the key it expects. */
export interface PodAddress {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** The calls to an agent's pod; each rejects when there is no proper answer in time. */
export interface PodClient {
  status(address: PodAddress): Promise<PodStatus>;
  drain(address: PodAddress): Promise<PodStatus>;
  undrain(address: PodAddress): Promise<PodStatus>;
}

/** A pod on a node nearby answers in milliseconds; what takes longer counts as no answer. */
const timeout = 1_000;

/** Answers are small; more is not from a pod of ours. */
const maxBytes = 64 * 1024;

export const httpPodClient: PodClient = {
  status: (address) => call(address, 'GET', statusPath),
  drain: (address) => call(address, 'PUT', drainPath),
  undrain: (address) => call(address, 'DELETE', drainPath),
};

async function call({ host, port, token }: PodAddress, method: string, path: string) {
  const authority = host.includes(':') ? `[${host}]` : host;
  const response = await fetch(`http://${authority}:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the pod answered ${response.status}`);
  if (text.length > maxBytes) throw new Error('the pod answered too much');
  return podStatusSchema.parse(JSON.parse(text));
}
