import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type App, startApp } from '../../src/app.ts';
import type { Log } from '../../src/base/log.ts';
import { readConfig } from '../../src/config.ts';
import { type PodStatus, podStatusSchema } from '../../src/contract/pod.ts';
import { OpenAiSimulator, type SimulatorOptions } from '../support/openai-simulator.ts';
import { Volume } from './volume.ts';

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The connector as an operator's pod has it: configured by volumes, asked by HTTP. */
export class Pod {
  readonly app: App;
  readonly simulator: OpenAiSimulator;
  readonly log: readonly LogLine[];
  readonly #volumes: Volumes;
  #settings: Settings;

  private constructor(app: App, parts: Pick<Pod, 'simulator' | 'log'>, volumes: Volumes) {
    this.app = app;
    this.simulator = parts.simulator;
    this.log = parts.log;
    this.#volumes = volumes;
    this.#settings = volumes.settings;
  }

  static async start(options: PodOptions = {}): Promise<Pod> {
    const simulator = await OpenAiSimulator.start({ apiKey: 'right', ...options.simulator });
    const volumes = new Volumes(simulator.url, options);
    const file = volumes.config.path('connector.json');
    const read = () => readConfig(file, {});
    const first = read();
    const log: LogLine[] = [];
    if (!first.config) throw new Error(first.problems.join('\n'));
    const source = { first, read };
    const app = await startApp({ config: first.config, log: keeping(log), source });
    return new Pod(app, { simulator, log }, volumes);
  }

  /** `host:port`. */
  at(protocol: 'udp' | 'tcp'): string {
    const found = this.app.sipAddresses.find((address) => address.startsWith(`${protocol}/`));
    return found?.split('/')[1] ?? '';
  }

  /** Writes other settings, under a revision of their own. */
  configure(settings: Settings): void {
    this.#settings = { ...this.#settings, ...settings };
    this.#volumes.writeConfig(this.#settings);
  }

  /** The file as it is, whatever it says. */
  writeFile(text: string): void {
    this.#volumes.config.write({ 'connector.json': text });
  }

  writeKey(key: string): void {
    this.#volumes.secrets.write({ 'openai/key': key });
  }

  writeToken(token: string): void {
    this.#volumes.token.write({ token });
  }

  async status(token = 'token'): Promise<PodStatus> {
    return podStatusSchema.parse(await (await this.ask('/v1/status', { token })).json());
  }

  ask(path: string, { method = 'GET', token = 'token' } = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${token}` };
    return fetch(`${this.app.httpUrl}${path}`, { method, headers });
  }

  async metric(name: string): Promise<number> {
    const text = await (await this.ask('/metrics')).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  }

  messages(): string[] {
    return this.log.map(({ message }) => message);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.simulator.close();
    this.#volumes.remove();
  }
}

export interface Settings {
  readonly revision?: string;
  readonly sip?: object;
  readonly rtp?: object;
  readonly agent?: object;
  /** In place of `agent`; each has the simulator as its provider. */
  readonly agents?: readonly object[];
}

export interface PodOptions {
  readonly settings?: Settings;
  readonly key?: string;
  readonly simulator?: SimulatorOptions;
}

class Volumes {
  readonly config = new Volume();
  readonly secrets = new Volume();
  readonly token = new Volume();
  readonly settings: Settings;
  readonly #url: string;

  constructor(url: string, { settings = {}, key = 'right' }: PodOptions) {
    this.#url = url;
    this.settings = { revision: 'r1', ...settings };
    this.secrets.write({ 'openai/key': key });
    this.token.write({ token: 'token' });
    this.writeConfig(this.settings);
  }

  writeConfig({ revision, sip, rtp, agent, agents }: Settings): void {
    const openai = { url: this.#url, apiKeyFile: this.secrets.path('openai/key') };
    const text = JSON.stringify({
      revision,
      sip: { listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'], ...sip },
      rtp: { ports: '28016-28215', ...rtp },
      http: { listen: '127.0.0.1:0', tokenFile: this.token.path('token') },
      ...(agents
        ? { agents: agents.map((one) => ({ providers: [{ openai }], ...one })) }
        : { agent: { greeting: 'Good morning.', providers: [{ openai }], ...agent } }),
    });
    this.config.write({ 'connector.json': text });
  }

  remove(): void {
    for (const volume of [this.config, this.secrets, this.token]) volume.remove();
  }
}

/** The answer to one request over UDP, '' where none comes within `wait` ms. */
export async function askSip(
  target: string,
  method: string,
  { wait = 2000, from = '127.0.0.1' } = {},
): Promise<string> {
  const [host = '', port = ''] = target.split(':');
  const socket = createSocket('udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  const own = `${from}:${socket.address().port}`;
  socket.send(request(method, { target, own }), Number(port), host);
  const answers: string[] = [];
  socket.on('message', (bytes) => void answers.push(bytes.toString()));
  const final = () => answers.find((text) => !text.startsWith('SIP/2.0 1'));
  const end = performance.now() + wait;
  while (final() === undefined && performance.now() < end)
    await new Promise((done) => setTimeout(done, 10));
  socket.close();
  return final() ?? answers[0] ?? '';
}

let calls = 0;

export function request(method: string, { target, own }: { target: string; own: string }): string {
  const id = `${method}-${++calls}-${process.pid}`;
  const lines = [
    `${method} sip:pizza@${target} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:caller@${own}>;tag=${id}`,
    `To: <sip:pizza@${target}>`,
    `Call-ID: ${id}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:caller@${own}>`,
    'Content-Length: 0',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function keeping(lines: LogLine[], base: object = {}): Log {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ ...base, ...fields, level, message });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => keeping(lines, { ...base, ...fields }),
  };
}
