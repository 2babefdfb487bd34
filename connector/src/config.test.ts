import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type ConfigSources, describeConfig, type LocatedProblem, parseConfig } from './config.ts';

const minimal = 'agent: {providers: [{openai: {}}]}';

function sources(over: Partial<ConfigSources> = {}): ConfigSources {
  return {
    env: { OPENAI_API_KEY: 'sk-secret', ...over.env },
    readFile: over.readFile ?? missingFile,
    addresses: over.addresses ?? ['192.0.2.7'],
  };
}

function missingFile(): never {
  throw Object.assign(new Error('no such file /etc/hidden'), { code: 'ENOENT' });
}

function configOf(text: string, over?: Partial<ConfigSources>) {
  const result = parseConfig(text, sources(over));
  if ('config' in result) return result.config;
  throw new Error(result.problems.map(line).join('\n'));
}

function problemsOf(text: string, over?: Partial<ConfigSources>): string[] {
  const result = parseConfig(text, sources(over));
  return 'problems' in result ? result.problems.map(line) : [];
}

function line(problem: LocatedProblem): string {
  return `${problem.line ?? '-'} ${problem.path}: ${problem.reason}`;
}

test('an agent with a provider is enough; the rest has defaults', () => {
  const config = configOf(minimal);
  expect(config).toMatchObject({
    sip: {
      listen: [
        { protocol: 'udp', address: '0.0.0.0', port: 5060 },
        { protocol: 'tcp', address: '0.0.0.0', port: 5060 },
      ],
      sessionExpiresSeconds: 1800,
    },
    rtp: {
      address: '192.0.2.7',
      advertisedAddress: '192.0.2.7',
      ports: { first: 20016, last: 20255 },
    },
    http: { listen: { address: '127.0.0.1', port: 8080 } },
    log: { level: 'info', showPersonalData: false },
    drain: { timeoutSeconds: 3600 },
    agents: [{ path: 'agent', agent: { name: 'agent', maxCalls: 100 }, isDisabled: false }],
  });
  expect(config.secrets.get('agent.providers.0.openai.apiKey')).toBe('sk-secret');
  expect(config.secrets.get('http.token')).toBeUndefined();
});

test('JSON is read as well', () => {
  expect(configOf('{"agent": {"providers": [{"openai": {}}]}}').agents).toHaveLength(1);
});

test.each([
  { name: 'a bound address', listen: 'udp://127.0.0.1:5060', want: '127.0.0.1' },
  { name: 'a bound IPv6 address', listen: 'tcp://[::1]:5060', want: '::1' },
  { name: 'the machine, for any IPv4 address', listen: 'udp://0.0.0.0:5060', want: '192.0.2.7' },
  { name: 'the machine, for any IPv6 address', listen: 'udp://[::]:5060', want: '192.0.2.7' },
])('RTP uses $name when nothing is said', ({ listen, want }) => {
  const config = configOf(`{sip: {listen: ["${listen}"]}, ${minimal}}`);
  expect(config.rtp).toMatchObject({ address: want, advertisedAddress: want });
});

test('a machine without addresses serves its own loopback', () => {
  expect(configOf(minimal, { addresses: [] }).rtp.address).toBe('127.0.0.1');
});

test('an external address goes to SIP and SDP; a host name to SIP only', () => {
  const address = configOf(`{sip: {externalHost: 203.0.113.9}, ${minimal}}`);
  expect(address.sip.listen[0]).toMatchObject({ externalHost: '203.0.113.9' });
  expect(address.rtp).toMatchObject({ address: '192.0.2.7', advertisedAddress: '203.0.113.9' });
  const name = configOf(`{sip: {externalHost: sip.example.com}, ${minimal}}`);
  expect(name.sip.listen[0]).toMatchObject({ externalHost: 'sip.example.com' });
  expect(name.rtp.advertisedAddress).toBe('192.0.2.7');
});

test('bound to any address, RTP advertises that of the machine', () => {
  const config = configOf(`{rtp: {address: 0.0.0.0}, ${minimal}}`);
  expect(config.rtp).toMatchObject({ address: '0.0.0.0', advertisedAddress: '192.0.2.7' });
});

test('the environment stands above the file', () => {
  const env = {
    PARLEY_SIP_LISTEN: 'udp://127.0.0.1:5070, tcp://127.0.0.1:5070',
    PARLEY_EXTERNAL_ADDRESS: '203.0.113.9',
    PARLEY_HTTP_LISTEN: '0.0.0.0:9000',
    PARLEY_HTTP_TOKEN: 'from-env',
    PARLEY_RTP_PORTS: '20272-20511',
    PARLEY_RTP_ADDRESS: '127.0.0.2',
    PARLEY_RTP_CHECK_PORTS: 'true',
    PARLEY_LOG_LEVEL: 'debug',
  };
  const config = configOf(
    `{log: {level: warn}, http: {tokenFile: /run/token}, sip: {listen: ["udp://0.0.0.0:1"]}, ${minimal}}`,
    { env },
  );
  expect(config.sip.listen).toMatchObject([
    { protocol: 'udp', address: '127.0.0.1', port: 5070, externalHost: '203.0.113.9' },
    { protocol: 'tcp', address: '127.0.0.1', port: 5070, externalHost: '203.0.113.9' },
  ]);
  expect(config.http.listen).toEqual({ address: '0.0.0.0', port: 9000 });
  expect(config.rtp).toEqual({
    address: '127.0.0.2',
    advertisedAddress: '203.0.113.9',
    ports: { first: 20272, last: 20511 },
    checkPorts: true,
  });
  expect(config.log.level).toBe('debug');
  expect(config.secrets.get('http.token')).toBe('from-env');
});

test('a fault in the environment names the variable', () => {
  const env = {
    PARLEY_SIP_LISTEN: 'sctp://x',
    PARLEY_LOG_LEVEL: 'loud',
    PARLEY_RTP_PORTS: '1-2',
    PARLEY_RTP_ADDRESS: 'node-1',
    PARLEY_RTP_CHECK_PORTS: 'maybe',
  };
  expect(problemsOf(minimal, { env })).toEqual([
    '- PARLEY_SIP_LISTEN: expected udp://, tcp://, tls://, ws:// or wss:// with an IP address and port',
    '- PARLEY_RTP_ADDRESS: expected an IP address',
    '- PARLEY_RTP_PORTS: expected ports from 1024 to 65535',
    '- PARLEY_RTP_CHECK_PORTS: expected boolean, received string',
    '- PARLEY_LOG_LEVEL: invalid option: expected one of "debug"|"info"|"warn"|"error"|"silent"',
  ]);
});

test.each([
  { text: 'sourceRanges: []', want: '1 sip.sourceRanges: ' },
  { text: 'sourceRanges: [10.0.0.0/33]', want: '1 sip.sourceRanges.0: expected a range' },
  {
    text: 'auth: {realm: r, algorithms: [MD4], users: [{name: a, passwordEnv: OPENAI_API_KEY}]}',
    want: '1 sip.auth.algorithms.0: ',
  },
])('$text is refused', ({ text, want }) => {
  expect(problemsOf(`{sip: {${text}}, ${minimal}}`)).toEqual([
    expect.stringContaining(want) as string,
  ]);
});

test('sources are everybody, algorithms the two that phones know, where nothing is said', () => {
  const user = '{name: a, passwordEnv: OPENAI_API_KEY}';
  const { sip } = configOf(`{sip: {auth: {realm: r, users: [${user}]}}, ${minimal}}`);
  expect([sip.sourceRanges, sip.auth?.algorithms]).toEqual([undefined, ['SHA-256', 'MD5']]);
  const ranges = ['198.51.100.0/24', '2001:db8::1'];
  const given = configOf(`{sip: {sourceRanges: ${JSON.stringify(ranges)}}, ${minimal}}`);
  expect(given.sip.sourceRanges).toEqual(ranges);
});

test('a state of the file has the name it says, or none', () => {
  expect(configOf(`{revision: 3f9a1c2b, ${minimal}}`).revision).toBe('3f9a1c2b');
  expect(configOf(minimal).revision).toBe('');
});

test('all problems are reported at once, with line and the key that was meant', () => {
  const text = `
sip:
  listen: [ "udp://0.0.0.0:5060" ]
  externalhost: example.com
agent:
  providrs: []
  maxCalls: many
  providers:
    - openai: { voic: marin, turnDetection: { type: vad } }
  tools:
    - name: order
      htpp: {}
    - name: look
    - name: ask
      http: { url: nonsense, metod: GET }
  noInput:
    afterSecond: 3
`;
  expect(problemsOf(text).toSorted()).toEqual(
    [
      '4 sip.externalhost: unknown key; did you mean externalHost?',
      '6 agent.providrs: unknown key; did you mean providers?',
      '7 agent.maxCalls: expected number, received string',
      "9 agent.providers.0.openai.turnDetection.type: invalid discriminator value. Expected 'server_vad' | 'semantic_vad'",
      '9 agent.providers.0.openai.voic: unknown key; did you mean voice?',
      '11 agent.tools.0: needs exactly one of hangUp, sendDigits, transfer, http',
      '12 agent.tools.0.htpp: unknown key; did you mean http?',
      '13 agent.tools.1: needs exactly one of hangUp, sendDigits, transfer, http',
      '15 agent.tools.2.http.metod: unknown key; did you mean method?',
      '15 agent.tools.2.http.url: invalid URL',
      '17 agent.noInput.afterSecond: unknown key; did you mean afterSeconds?',
    ].toSorted(),
  );
});

test.each([
  {
    name: 'an empty file',
    text: '',
    want: ['- agent: required: expected object'],
  },
  {
    name: 'a list',
    text: '[1]',
    want: ['- : expected object, received array'],
  },
  {
    name: 'text that is neither YAML nor JSON',
    text: 'agent: {',
    want: [expect.stringMatching(/^1 : not YAML or JSON: /)],
  },
  {
    name: 'a key given twice',
    text: 'agent: {providers: [{openai: {}}]}\nagent: {}',
    want: ['2 : not YAML or JSON: Map keys must be unique'],
  },
  {
    name: 'an alias that leads nowhere',
    text: 'agent: *no',
    want: [expect.stringContaining('not YAML or JSON')],
  },
  {
    name: 'no provider',
    text: 'agent: {providers: []}',
    want: ['1 agent.providers: too small: expected array to have >=1 items'],
  },
  {
    name: 'two providers in one entry',
    text: 'agent: {providers: [{openai: {}, local: {intents: [{name: a, phrases: [a]}]}}]}',
    want: ['1 agent.providers.0: needs exactly one of local, openai'],
  },
  {
    name: 'two providers in one entry, one of them incomplete',
    text: 'agent: {providers: [{openai: {}, local: {}}]}',
    want: ['1 agent.providers.0.local: cannot stand beside the other keys here'],
  },
  {
    name: 'a tool without a name',
    text: 'agent: {providers: [{openai: {}}], tools: [{http: {url: x}, nam: a}]}',
    want: [
      '1 agent.tools.0.name: required: expected string',
      '1 agent.tools.0.nam: unknown key; did you mean name?',
      '1 agent.tools.0.http.url: invalid URL',
    ],
  },
  {
    name: 'TLS without a certificate',
    text: `{sip: {listen: ["tls://0.0.0.0:5061"]}, ${minimal}}`,
    want: ['1 sip.listen.0: a tls:// address needs sip.tls with certFile and keyFile'],
  },
  {
    name: 'an address twice',
    text: `{sip: {listen: ["udp://0.0.0.0:5060", "udp://0.0.0.0:5060"]}, ${minimal}}`,
    want: ['1 sip.listen.1: is there twice'],
  },
  {
    name: 'a host name to listen on',
    text: `{sip: {listen: ["udp://localhost:5060"]}, ${minimal}}`,
    want: [
      '1 sip.listen.0: expected udp://, tcp://, tls://, ws:// or wss:// with an IP address and port',
    ],
  },
  {
    name: 'fewer RTP ports than calls',
    text: `{rtp: {ports: 20000-20197}, ${minimal}}`,
    want: ['1 rtp.ports: 99 port pairs are too few for agent.maxCalls 100'],
  },
  {
    name: 'RTP ports over a SIP port',
    text: `{rtp: {ports: 5000-5999}, ${minimal}}`,
    want: ['1 rtp.ports: holds port 5060 of sip.listen'],
  },
  ...[
    ['20001-20255', 'the first port must be even (RTP takes even ports)'],
    ['20000-20254', 'the last port must be odd and above the first'],
    ['20255-20000', 'the first port must be even (RTP takes even ports)'],
    ['20254-20001', 'the last port must be odd and above the first'],
    ['1000-20255', 'expected ports from 1024 to 65535'],
    ['20000-70001', 'expected ports from 1024 to 65535'],
    ['20000', 'expected first-last, as 20016-20255'],
  ].map(([ports, reason]) => ({
    name: `RTP ports ${ports}`,
    text: `{rtp: {ports: "${ports}"}, ${minimal}}`,
    want: [`1 rtp.ports: ${reason}`],
  })),
  {
    name: 'a session timer below the RFC',
    text: `{sip: {sessionExpiresSeconds: 30}, ${minimal}}`,
    want: ['1 sip.sessionExpiresSeconds: too small: expected number to be >=90'],
  },
  {
    name: 'a user without a password',
    text: `{sip: {auth: {realm: x, users: [{name: a}, {name: a, passwordEnv: OPENAI_API_KEY}]}}, ${minimal}}`,
    want: [
      '1 sip.auth.users.0: needs exactly one of passwordEnv, passwordFile',
      '1 sip.auth.users.1.name: is there twice',
    ],
  },
  {
    name: 'two places for one token',
    text: `{http: {tokenEnv: OPENAI_API_KEY, tokenFile: /x}, ${minimal}}`,
    want: [
      '1 http: needs at most one of tokenEnv, tokenFile',
      '1 http.tokenFile: cannot be read: ENOENT',
    ],
  },
  {
    name: 'a key variable that is not set',
    text: 'agent: {providers: [{openai: {apiKeyEnv: NO_KEY}}]}',
    want: ['1 agent.providers.0.openai.apiKeyEnv: the environment variable NO_KEY is not set'],
  },
])('$name is refused', ({ text, want }) => {
  expect(problemsOf(text)).toEqual(want);
});

test('a misspelt key does not hide contradictions elsewhere', () => {
  const text = `
sip: {listen: ["tls://0.0.0.0:5061"]}
agent:
  nam: pizza
  providers: [{openai: {apiKeyEnv: NO_KEY}}]`;
  expect(problemsOf(text)).toEqual([
    '4 agent.nam: unknown key; did you mean name?',
    '2 sip.listen.0: a tls:// address needs sip.tls with certFile and keyFile',
    '5 agent.providers.0.openai.apiKeyEnv: the environment variable NO_KEY is not set',
  ]);
});

test('a local server on ws:// needs no key', () => {
  const config = configOf('agent: {providers: [{openai: {url: "ws://127.0.0.1:9/v1"}}]}', {
    env: { OPENAI_API_KEY: undefined },
  });
  expect(config.secrets.get('agent.providers.0.openai.apiKey')).toBeUndefined();
});

const files = `
sip: {auth: {realm: x, users: [{name: a, passwordFile: /run/password}]}}
http: {tokenFile: /run/token}
agent:
  providers: [{openai: {apiKeyFile: /run/key}}]
  tools:
    - {name: pay, http: {url: "https://example.com", headersFile: /run/headers, headers: {X-Key: visible}}}
    - {name: kitchen, transfer: {destinations: [{name: kitchen, to: "tel:+441632960961"}]}}
`;

const contents: Record<string, string> = {
  '/run/password': 'hunter2',
  '/run/token': 'bearer\n',
  '/run/key': '  sk-file\n',
  '/run/headers': '{"Authorization": "Bearer x"}',
};

const fromFiles = (over: Record<string, string> = {}) => ({
  readFile: (file: string) => ({ ...contents, ...over })[file] ?? missingFile(),
});

test('secrets come from files, trimmed', () => {
  const { secrets } = configOf(files, fromFiles());
  expect(secrets.get('sip.auth.users.0.password')).toBe('hunter2');
  expect(secrets.get('http.token')).toBe('bearer');
  expect(secrets.get('agent.providers.0.openai.apiKey')).toBe('sk-file');
  expect(secrets.get('agent.tools.0.http.headers')).toBe('{"Authorization": "Bearer x"}');
});

test.each([
  { file: '/run/key', text: '', want: 'the file is empty' },
  { file: '/run/key', text: 'two\nlines', want: 'must be one line of printable ASCII' },
  { file: '/run/headers', text: '[]', want: 'must hold a JSON object of strings' },
  { file: '/run/headers', text: '{"A": 1}', want: 'must hold a JSON object of strings' },
  { file: '/run/headers', text: 'A: b', want: 'must hold a JSON object of strings' },
])('a secret file with $text is refused without showing it', ({ file, text, want }) => {
  const problems = problemsOf(files, fromFiles({ [file]: text }));
  expect(problems).toEqual([expect.stringContaining(want)]);
});

test('neither the description nor a print of the configuration shows a secret or a number', () => {
  const config = configOf(files, fromFiles());
  const shown = describeConfig(config) + inspect(config.secrets) + JSON.stringify(config.secrets);
  for (const secret of ['hunter2', 'bearer', 'sk-file', 'Bearer', 'visible', '960961'])
    expect(shown).not.toContain(secret);
  expect(shown).toContain('X-Key: (hidden)');
  expect(shown).toContain('apiKeyFile: /run/key');
});

test('a file that one slip made unreadable is told in a few lines', () => {
  const problems = problemsOf('['.repeat(200));
  expect(problems[0]).toContain('not YAML or JSON');
  expect(problems.length).toBeLessThanOrEqual(5);
});
