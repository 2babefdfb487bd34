import { isIP } from 'node:net';
import { z } from 'zod';
import { parseRange } from '../base/address-ranges.ts';
import { agentSchema } from '../contract/agent.ts';
import { agentEntry } from './agents.ts';
import { overrideSchema } from './override-schema.ts';
import { sipCredentials, sipListen, sipPeer, sipTls } from './sip-schema.ts';

/** The configuration file as people write it; `config.ts` turns it into what the program uses. */

const portsPattern = /^(\d{1,5})-(\d{1,5})$/;

const isPort = (port: number) => port <= 65_535;

/** `127.0.0.1:8080`, `[::]:8080`. */
const httpListen = z.string().transform((text, context) => {
  const [, host = '', digits] = /^(\[[0-9a-fA-F:.]+\]|[0-9.]+):(\d{1,5})$/.exec(text) ?? [];
  const address = host.replace(/^\[|\]$/g, '');
  const port = Number(digits);
  if (isIP(address) !== 0 && isPort(port)) return { address, port };
  context.addIssue('expected an IP address and port, as 127.0.0.1:8080');
  return z.NEVER;
});

/** `20016-20255`, both ends included; RTP takes the even ports, RTCP the odd ones above them (RFC 3550 §11). */
const portRange = z.string().transform((text, context) => {
  const [, low, high] = portsPattern.exec(text) ?? [];
  const range = { first: Number(low), last: Number(high) };
  const reason = portRangeFault(range);
  if (reason === undefined) return range;
  context.addIssue(reason);
  return z.NEVER;
});

function portRangeFault({ first, last }: { first: number; last: number }): string | undefined {
  if (Number.isNaN(first)) return 'expected first-last, as 20016-20255';
  if (first < 1024 || !isPort(last)) return 'expected ports from 1024 to 65535';
  if (first % 2 === 1) return 'the first port must be even (RTP takes even ports)';
  if (last % 2 === 0 || last < first) return 'the last port must be odd and above the first';
  return undefined;
}

const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'expected an IP address');
const isHostName = (text: string) => /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(text);
const host = z
  .string()
  .refine((text) => isIP(text) !== 0 || isHostName(text), 'expected a host name or IP address');
const addressRange = z
  .string()
  .refine((text) => parseRange(text) !== undefined, 'expected a range, as 198.51.100.0/24');
const file = z.string().min(1);

const sip = z.strictObject({
  listen: z.array(sipListen).min(1).prefault(['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060']),
  /** What peers are told in Via and Contact instead of the bound address. */
  externalHost: host.optional(),
  tls: sipTls.optional(),
  peers: z.array(sipPeer).default([]),
  /** Where new requests may come from; all others get no answer. Everybody where absent. */
  sourceRanges: z.array(addressRange).min(1).optional(),
  /**
   * Sources that are never limited or blocked, as those of `sourceRanges` are not: list the trunks here
   * where everybody may call, for addresses on UDP can be forged.
   */
  trustedRanges: z.array(addressRange).default([]),
  /**
   * Parts of the User-Agent of scanners, which get no answer and whose source is blocked for a time.
   * Well-known ones where absent.
   */
  scanners: z
    .array(
      z
        .string()
        .min(3)
        .transform((name) => name.toLowerCase()),
    )
    .optional(),
  /** Digest (RFC 8760) asked of callers; without it every source may call. */
  auth: z
    .strictObject({
      realm: z.string().min(1),
      /**
       * Offered best first, accepted all. Peers that answer only the first challenge they read (sipp,
       * many phones) need `[MD5]`.
       */
      algorithms: z
        .array(z.enum(['SHA-512-256', 'SHA-256', 'MD5']))
        .min(1)
        .default(['SHA-256', 'MD5']),
      users: z
        .array(
          z.strictObject({
            name: z.string().min(1),
            passwordEnv: z.string().min(1).optional(),
            passwordFile: file.optional(),
          }),
        )
        .min(1),
    })
    .optional(),
  credentials: z.array(sipCredentials).default([]),
  /** Session-Expires offered and accepted (RFC 4028 §4: at least 90). */
  sessionExpiresSeconds: z.number().int().min(90).max(86_400).default(1800),
  /** URIs that outgoing calls may go to, `*` for any characters but @ ; ?, as `sip:*@example.com`. */
  destinations: z
    .array(z.string().regex(/^(sips?|tel):/, 'expected a sip:, sips: or tel: URI'))
    .default([]),
});

const rtp = z.strictObject({
  /** Bound address; by default that of `sip.listen`, else the first of the machine's interfaces. */
  address: ipAddress.optional(),
  /** Address in SDP where a NAT maps the bound one. */
  advertisedAddress: ipAddress.optional(),
  ports: portRange.prefault('20016-20255'),
  /** Binds all of `ports` once at the start; where one is taken, the connector ends with exit code 98. */
  checkPorts: z.boolean().default(false),
});

const http = z.strictObject({
  listen: httpListen.prefault('127.0.0.1:8080'),
  /** Bearer token of /v1; the API is off without one. */
  tokenEnv: z.string().min(1).optional(),
  tokenFile: file.optional(),
});

export const configSchema = z.strictObject({
  /** Name of this state of the file, told by `/v1/status` once it is in use. */
  revision: z.string().default(''),
  sip: sip.prefault({}),
  rtp: rtp.prefault({}),
  http: http.prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      /** Log numbers, URIs, transcripts and digits as well. */
      showPersonalData: z.boolean().default(false),
    })
    .prefault({}),
  drain: z
    .strictObject({ timeoutSeconds: z.number().int().min(0).max(86_400).default(3600) })
    .prefault({}),
  /** Who answers all calls; or, instead of it, several among whom the dialled user decides. */
  agent: agentSchema.optional(),
  agents: z.array(agentEntry).min(1).max(100).optional(),
  override: overrideSchema.optional(),
});

/** The file after validation, its defaults filled in. */
export type ConfigFile = z.infer<typeof configSchema>;
