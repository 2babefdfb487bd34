import { expect, test } from 'vitest';
import { torture, tortureBytes } from '../../../test/fixtures/sip/rfc4475/answers.ts';
import { createFramer } from './framer.ts';
import { header, headers } from './headers.ts';
import { defaultLimits } from './limits.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { param } from './params.ts';
import { parseMessage } from './parse.ts';
import { errorResponse } from './parse-error.ts';
import { serialize } from './serialize.ts';
import { parseSipUri, unescapeUri } from './uri.ts';
import { isSameUri } from './uri-comparison.ts';
import { branchOf, hasTransactionBranch, parseVia } from './via.ts';

function accept(name: string): SipMessage {
  const message = parseMessage(tortureBytes(name));
  if (message.kind === 'error') throw new Error(`${name}: ${message.problem}`);
  return message;
}

function request(name: string): SipRequest {
  const message = accept(name);
  if (message.kind !== 'request') throw new Error(`${name} is a response`);
  return message;
}

test('all 49 messages are there', () => {
  expect(torture).toHaveLength(49);
});

test.each(torture)('RFC 4475 $section $name: $parse', ({ name, parse }) => {
  const message = parseMessage(tortureBytes(name));
  const answer = message.kind === 'error' ? (message.status ?? 'drop') : 'accept';
  expect(answer).toBe(parse);
});

test.each(torture.filter((each) => typeof each.parse === 'number'))(
  '$name can be answered with $parse, its Via and what else identifies it in place',
  ({ name, parse }) => {
    const error = parseMessage(tortureBytes(name));
    const response = error.kind === 'error' ? errorResponse(error, 'x') : undefined;
    expect(response?.status).toBe(parse);
    expect(response && header(response, 'via')).toMatch(/^SIP/);
    expect(response && header(response, 'content-type')).toBeUndefined();
  },
);

test.each(torture.filter((each) => each.parse === 'accept'))(
  '$name is the same after a round through the serializer',
  ({ name }) => {
    const message = accept(name);
    const again = parseMessage(serialize(message));
    expect(again).toEqual({
      ...message,
      headers: again.kind === 'error' ? [] : again.headers,
    });
    expect(again.kind !== 'error' && serialize(again)).toEqual(serialize(message));
  },
);

test.each(torture)('every truncation of $name returns', ({ name }) => {
  const bytes = tortureBytes(name);
  for (let length = 0; length < bytes.length; length++) {
    const message = parseMessage(bytes.subarray(0, length));
    if (message.kind === 'error') errorResponse(message, 'x');
    const frames = createFramer(defaultLimits).push(bytes.subarray(0, length));
    expect(frames.length, `${length} bytes`).toBeLessThan(3);
  }
});

test('white space and folding everywhere leave the values of wsinv readable', () => {
  const message = request('wsinv');
  expect(headers(message, 'Via').map((value) => parseVia(value))).toEqual([
    { transport: 'UDP', host: '192.0.2.2', params: [{ name: 'branch', value: '390skdjuw' }] },
    {
      transport: 'TCP',
      host: 'spindle.example.com',
      params: [{ name: 'branch', value: 'z9hG4bK9ikj8' }],
    },
    {
      transport: 'UDP',
      host: '192.168.255.111',
      params: [{ name: 'branch', value: 'z9hG4bK30239' }],
    },
  ]);
  expect(parseNameAddr(header(message, 'from') ?? '')).toMatchObject({
    displayName: 'J Rosenberg \\"',
    params: [{ name: 'tag', value: '98asjd8' }],
  });
  expect(parseNameAddr(header(message, 'to') ?? '')?.params).toEqual([
    { name: 'tag', value: '1918181833n' },
  ]);
  expect(parseNameAddr(header(message, 'contact') ?? '')).toMatchObject({
    displayName: 'Quoted string ""',
    params: [
      { name: 'newparam', value: 'newvalue' },
      { name: 'secondparam' },
      { name: 'q', value: '0.33' },
    ],
  });
  expect(header(message, 'subject')).toBe('');
  expect(header(message, 'newfangledheader')).toBe('newfangled value continued newfangled value');
  expect(headers(message, 'UnknownHeaderWithUnusualValue')).toEqual([';;,,;;,;']);
  expect(message.body).toHaveLength(150);
});

test('intmeth keeps its unusual characters, the quoted NUL among them', () => {
  const message = request('intmeth');
  expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
  expect(parseSipUri(message.uri)).toMatchObject({
    user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
    password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
    host: 'example.com',
  });
  expect(parseNameAddr(header(message, 'to') ?? '')?.displayName).toBe('BEL:\x07 NUL:\0 DEL:\x7f');
  const from = parseNameAddr(header(message, 'from') ?? '');
  expect(from?.displayName).toBe("token1~` token2'+_ token3*%!.-");
  expect(param(from?.params ?? [], "fromparam''~+*_!.-%")).toBe('работающий');
  expect(param(from?.params ?? [], 'tag')).toBe("_token~1'+`*%!-.");
  expect(header(message, "extensionHeader-!.%*+_`'~")).toBe('\uFEFF大停電');
});

test('escapes of esc01 are resolved once, and only in URIs', () => {
  const message = request('esc01');
  expect(unescapeUri(parseSipUri(message.uri)?.user ?? '')).toBe('sips:user@example.com');
  const to = parseNameAddr(header(message, 'to')!)!.uri;
  expect(isSameUri(to, parseSipUri('sip:user@example.com')!)).toBe(true);
  const contact = parseNameAddr(header(message, 'contact')!)!.uri;
  const same = (value: string) =>
    isSameUri(contact, parseSipUri(`sip:caller@host5.example.net;lr;name=${value}`)!);
  expect([same('value%2541'), same('valueA')]).toEqual([true, false]);
});

test('NULs that are escaped do not end the user parts of escnull', () => {
  const users = headers(request('escnull'), 'contact').map((value) => {
    const uri = parseNameAddr(value)?.uri;
    return uri?.kind === 'sip' ? unescapeUri(uri.user ?? '') : undefined;
  });
  expect(users).toEqual(['\0', '\0\0']);
});

test('a percent sign outside of URIs escapes nothing', () => {
  const message = request('esc02');
  expect(message.method).toBe('RE%47IST%45R');
  expect(headers(message, 'contact')).toHaveLength(2);
  expect(parseNameAddr(header(message, 'to') ?? '')?.displayName).toBe('%Z%45');
});

test('the 34 Via headers of longreq are found under all their spellings', () => {
  const message = request('longreq');
  const vias = headers(message, 'v').map((value) => parseVia(value)?.host);
  expect(vias).toHaveLength(34);
  expect(vias.slice(0, 2)).toEqual(['sip33.example.com', 'sip32.example.com']);
  expect(vias.at(-1)).toBe('host.example.com');
});

test('bytes behind a body are not part of the message', () => {
  expect(request('dblreq').body).toHaveLength(0);
});

test('a semicolon in front of the at sign belongs to the user', () => {
  expect(parseSipUri(request('semiuri').uri)).toMatchObject({
    user: 'user;par=u%40example.net',
    host: 'example.com',
    params: [],
  });
});

test('a binary body arrives as it was sent', () => {
  const bytes = tortureBytes('mpart01');
  expect(request('mpart01').body).toEqual(bytes.subarray(bytes.length - 553));
});

test('reason phrases are UTF-8, or empty', () => {
  expect(accept('unreason')).toMatchObject({
    status: 200,
    reason: '= 2**3 * 5**2 но сто девяносто девять - простое',
  });
  expect(accept('noreason')).toMatchObject({ status: 100, reason: '' });
});

test('the cookie alone is no transaction id', () => {
  const via = parseVia(header(accept('badbranch'), 'via') ?? '');
  expect(via && branchOf(via)).toBe('z9hG4bK');
  expect(via && hasTransactionBranch(via)).toBe(false);
});

test('a parameter is the header’s or the URI’s, as the brackets say', () => {
  const [bare, bracketed] = ['cparam01', 'cparam02'].map((name) =>
    parseNameAddr(header(accept(name), 'contact') ?? ''),
  );
  expect(bare?.params).toEqual([{ name: 'unknownparam' }]);
  expect(bracketed?.params).toEqual([]);
  expect(bracketed?.uri).toMatchObject({ params: [{ name: 'unknownparam' }] });
});

test('clerr over a stream waits for the rest of its body', () => {
  const framer = createFramer(defaultLimits);
  expect(framer.push(tortureBytes('clerr'))).toEqual([]);
  expect(framer.isWaiting).toBe(true);
});

test.each(['ncl', 'mcl01', 'inv2543'])('a stream with the framing of %s cannot go on', (name) => {
  expect(createFramer(defaultLimits).push(tortureBytes(name))).toMatchObject([
    { kind: 'error', isFatal: true, error: { status: 400 } },
  ]);
});
