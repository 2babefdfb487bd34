import { createSocket } from 'node:dgram';
import { Resolver as DnsClient } from 'node:dns/promises';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { NaptrRecord } from '../../src/sip/resolve/naptr.ts';
import { createResolver, type Resolver } from '../../src/sip/resolve/resolver.ts';
import type { SrvRecord } from '../../src/sip/resolve/srv-order.ts';

/** By `NAPTR example.test` or `SRV _sip._udp.example.test`; what is not there does not exist. */
export type Zone = Readonly<
  Record<string, readonly (NaptrRecord | SrvRecord)[] | 'SERVFAIL' | 'silence'>
>;

export interface DnsServer {
  /** Asks this server alone; addresses are the system's. */
  readonly resolver: Resolver;
  /** Keys of the zone as they were asked for, each once. */
  readonly asked: ReadonlySet<string>;
}

const types: Readonly<Record<number, string>> = { 33: 'SRV', 35: 'NAPTR' };

/** A DNS server on UDP; closed at the end of the test. */
export async function startDns(zone: Zone): Promise<DnsServer> {
  const asked = new Set<string>();
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.on('message', (query, from) => {
    const question = questionOf(query);
    asked.add(question.key);
    const found = zone[question.key];
    if (found !== 'silence') socket.send(answerTo(query, question, found), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const client = new DnsClient();
  client.setServers([`127.0.0.1:${socket.address().port}`]);
  onTestFinished(() => client.cancel());
  return { resolver: createResolver(client), asked };
}

interface Question {
  readonly key: string;
  readonly type: number;
  /** Where it ends in the query. */
  readonly end: number;
}

/** RFC 1035 §4.1.2. */
function questionOf(query: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  const type = query.readUInt16BE(at + 1);
  return { key: `${types[type]} ${labels.join('.').toLowerCase()}`, type, end: at + 5 };
}

function answerTo(query: Buffer, { type, end }: Question, found: Zone[string] | undefined): Buffer {
  const records = typeof found === 'object' ? found : [];
  const code = found === 'SERVFAIL' ? 2 : found === undefined ? 3 : 0;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(records.length, 6);
  // No authority, and not the EDNS of the query.
  head.writeUInt32BE(0, 8);
  const answers = records.map((record) => {
    const data = 'flags' in record ? naptrOf(record) : srvOf(record);
    // The name of the question, the type, class IN, a TTL of 0.
    return Buffer.concat([numbers(0xc00c, type, 1, 0, 0, data.length), data]);
  });
  return Buffer.concat([head, query.subarray(12, end), ...answers]);
}

function srvOf({ priority, weight, port, name }: SrvRecord): Buffer {
  return Buffer.concat([numbers(priority, weight, port), nameBytes(name)]);
}

/** RFC 3403 §4.1. */
function naptrOf({ order, preference, flags, service, regexp, replacement }: NaptrRecord): Buffer {
  const texts = [flags, service, regexp].map(textBytes);
  return Buffer.concat([numbers(order, preference), ...texts, nameBytes(replacement)]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt16BE(value, 2 * at);
  return bytes;
}

function textBytes(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([...labels.map(textBytes), Buffer.from([0])]);
}
