import { z } from 'zod';

/**
 * What the operator and an agent's pod agree on: the files in the pod and the HTTP calls to it. The
 * key that both hold is mounted at `tokenFile` and sent as bearer token.
 */

/** Folder of the configuration: `connector.json`, the file format of a standalone connector. */
export const configFolder = '/etc/parley/config';
export const configFile = `${configFolder}/connector.json`;
/** Secrets of providers and tools: `<folder>/<Secret's name>/<key>`. */
export const secretsFolder = '/etc/parley/secrets';
/** The bearer token for `/v1` of this VoiceAgent's pods. */
export const tokenFile = '/etc/parley/token/token';

/** `GET /v1/status`. */
export const podStatusSchema = z.object({
  /** Calls from their INVITE to their end. */
  activeCalls: z.number().int().min(0),
  isDraining: z.boolean(),
  /** Counts changes of `isDraining`: an answer to a drain carries the epoch the drain began. */
  epoch: z.number().int().min(0),
  /** `revision` of the configuration in use, as the file names it. */
  revision: z.string(),
  /** Why a newer configuration is not in use; the old one stays. */
  configProblem: z.string().optional(),
  /** The first provider of the agent that works, and why those before it do not. */
  provider: z.object({
    isReady: z.boolean(),
    /**
     * PascalCase, as a condition's reason. `Ready`; `Fallback`: not the first works; `Starting`: not
     * known yet; else what is wrong with the first: `Unauthorized`, `Forbidden`, `QuotaExceeded`,
     * `RateLimited`, `NotFound`, `Refused`, `ServerError`, `Unreachable`, `Timeout` …
     */
    reason: z.string(),
    message: z.string(),
  }),
});

export type PodStatus = z.infer<typeof podStatusSchema>;

/** `PUT /v1/drain` (no new calls; answered with PodStatus) and `DELETE /v1/drain` (takes it back). */
export const drainPath = '/v1/drain';
export const statusPath = '/v1/status';

/** Environment of the pod that depends on its node and slot; overrides the configuration file. */
export const podEnvironment = {
  /** `udp://10.0.0.7:20000,tcp://10.0.0.7:20000` */
  sipListen: 'PARLEY_SIP_LISTEN',
  /** `10.0.0.7:20001` */
  httpListen: 'PARLEY_HTTP_LISTEN',
  /** `20016-20255` */
  rtpPorts: 'PARLEY_RTP_PORTS',
  rtpAddress: 'PARLEY_RTP_ADDRESS',
  /** `true`: all RTP ports are bound once at the start, as nothing else keeps others from them. */
  rtpCheckPorts: 'PARLEY_RTP_CHECK_PORTS',
} as const;

/** Exit code of a connector that found an address and port of its own taken by another program. */
export const portTakenExitCode = 98;
