import { isIP } from 'node:net';
import { z } from 'zod';

/** Where SIP is listened for and how its TLS connections are made; the rest of `sip` is in `schema.ts`. */

const protocols = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
const listenPattern = /^([a-z]+):\/\/(\[[0-9a-fA-F:.]+\]|[0-9.]+):(\d{1,5})$/;

/** `udp://0.0.0.0:5060`, `tls://[::]:5061`, `wss://192.0.2.1:443`; port 0 lets the system choose. */
export const sipListen = z.string().transform((text, context) => {
  const [, scheme, host = '', digits] = listenPattern.exec(text) ?? [];
  const protocol = protocols.find((each) => each === scheme);
  const address = host.replace(/^\[|\]$/g, '');
  const port = Number(digits);
  if (isIP(address) !== 0 && port <= 65_535 && protocol) return { protocol, address, port };
  context.addIssue('expected udp://, tcp://, tls://, ws:// or wss:// with an IP address and port');
  return z.NEVER;
});

const file = z.string().min(1);

/** Files are read again when they change. */
export const sipTls = z
  .strictObject({
    certFile: file,
    keyFile: file,
    /** Authorities to trust instead of those that come with Node. */
    caFile: file.optional(),
    /**
     * Who connects to us is asked for a certificate of these authorities. Servers whose certificates are
     * for servers only need their issuer itself in it, be it an intermediate one.
     */
    clientCaFile: file.optional(),
    /** Refuse those without one. */
    requireClientCertificate: z.boolean().default(false),
  })
  .refine(({ clientCaFile, requireClientCertificate: isNeeded }) => !isNeeded || clientCaFile, {
    path: ['requireClientCertificate'],
    error: 'needs clientCaFile',
  });

/** Ours, for requests of ours that are challenged; without a realm for all that no other is for. */
export const sipCredentials = z
  .strictObject({
    realm: z.string().min(1).optional(),
    user: z.string().min(1),
    passwordEnv: z.string().min(1).optional(),
    passwordFile: file.optional(),
  })
  .refine(
    ({ passwordEnv, passwordFile }) => (passwordEnv === undefined) !== (passwordFile === undefined),
    {
      error: 'needs exactly one of passwordEnv, passwordFile',
    },
  );

/** `sbc.example.com`, `*.example.com` for one label in front, or an IP address. */
const peerHost = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || /^(\*\.)?[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(text),
    'expected a host name, *. and a host name, or an IP address',
  );

/** How TLS connections to some hosts differ from what `sip.tls` says. */
export const sipPeer = z.strictObject({
  hosts: z.array(peerHost).min(1),
  tls: z
    .strictObject({
      /** Our client certificate for them. */
      certFile: file.optional(),
      keyFile: file.optional(),
      caFile: file.optional(),
      /** The name to ask for and to be proven, instead of the one in the URI. */
      serverName: peerHost.optional(),
    })
    .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
      error: 'needs certFile and keyFile together',
    }),
});
