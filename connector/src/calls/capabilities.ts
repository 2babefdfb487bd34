import type { Headers } from './signalling.ts';

/** Methods a leg answers; everything else of SIP gets 405, what is not SIP 501. */
export const allowedMethods = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'PRACK',
  'REFER',
  'NOTIFY',
  'MESSAGE',
] as const;

/** What a phone or trunk may ask of us; goes into INVITE, its 2xx, and answers to OPTIONS (RFC 3261 §11.2). */
export const capabilities: Headers = {
  Allow: allowedMethods.join(', '),
  Supported: 'timer, 100rel, replaces',
};

export const optionsAnswer: Headers = {
  ...capabilities,
  Accept: 'application/sdp, application/dtmf-relay, application/dtmf, text/plain',
  'Accept-Encoding': 'identity',
  'Accept-Language': 'en',
};
