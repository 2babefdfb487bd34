import { expect, test } from 'vitest';
import { parseFlags } from './flags.ts';

const least = ['--listen', 'udp://192.0.2.1:5060', '--secret-file', '/s'];

test('the least command line', () => {
  expect(parseFlags(least)).toEqual({
    listen: [{ protocol: 'udp', address: '192.0.2.1', port: 5060 }],
    drachtio: { address: '127.0.0.1', port: 9022 },
    secretFile: '/s',
    logLevel: 'info',
  });
});

test('all of it', () => {
  const args =
    '--listen udp://0.0.0.0:5060 --listen tls://[::]:5061 --external-host sip.example.com --drachtio [::1]:0 --admin [::1]:9023 --secret-file /s --tls-cert /c --tls-key /k --tls-ca /a --log-level debug';
  expect(parseFlags(args.split(' '))).toEqual({
    listen: [
      { protocol: 'udp', address: '0.0.0.0', port: 5060, externalHost: 'sip.example.com' },
      { protocol: 'tls', address: '::', port: 5061, externalHost: 'sip.example.com' },
    ],
    drachtio: { address: '::1', port: 0 },
    admin: { address: '::1', port: 9023 },
    secretFile: '/s',
    tls: { certFile: '/c', keyFile: '/k', caFile: '/a', requireClientCertificate: false },
    logLevel: 'debug',
  });
});

test('help wins over what is missing', () => {
  expect(parseFlags(['--help'])).toBe('help');
});

test.each([
  [['--lisen', 'x'], /--lisen/],
  [['--listen'], /--listen/],
  [[], /^--listen is missing: give at least one/],
  [['--listen', 'udp://host:5060'], /^--listen udp:\/\/host:5060 is none: give/],
  [['--listen', 'sctp://192.0.2.1:80'], /^--listen sctp/],
  [[...least, '--listen', 'wss://192.0.2.1:443'], /give --tls-cert and --tls-key$/],
  [
    [...least, '--tls-cert', '/c', '--tls-key', '/k', '--tls-require-client'],
    /^--tls-client-ca is missing/,
  ],
  [['--listen', 'udp://192.0.2.1:70000'], /^--listen udp/],
  [['--listen', 'udp://0.0.0.0:5060'], /^--external-host is missing/],
  [['--listen', 'udp://192.0.2.1:5060'], /^--secret-file is missing: give/],
  [[...least, '--listen', 'tls://192.0.2.1:5061'], /give --tls-cert and --tls-key$/],
  [[...least, '--tls-cert', '/c'], /^--tls-key is missing/],
  [[...least, '--drachtio', '9022'], /^--drachtio 9022 is none: give an address and port/],
  [[...least, '--admin', '9023'], /^--admin 9023 is none: give an address and port/],
  [[...least, '--admin', '192.0.2.1:9023'], /^--admin 192.0.2.1:9023 is not of this machine/],
  [[...least, '--log-level', 'loud'], /^--log-level loud is none: give one of debug, info/],
])('%j is refused with the flag and a way out', (args, message) => {
  expect(() => parseFlags(args)).toThrow(message);
});
