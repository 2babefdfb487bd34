import { expect, test } from 'vitest';
import { isAllowed } from './destinations.ts';

test.each([
  ['sip:bob@example.com', ['sip:*@example.com']],
  ['sip:bob@example.com;transport=tcp', ['sip:*@example.com']],
  ['SIP:Bob@EXAMPLE.com', ['sip:bob@example.com']],
  ['tel:+442071838750', ['tel:+1*', 'tel:+4420*']],
  ['sip:+15550100@10.0.0.1:5060', ['sip:+1555*@10.0.0.1:5060']],
])('%s may be called', (uri, patterns) => {
  expect(isAllowed(uri, patterns)).toBe(true);
});

test.each([
  ['sip:bob@example.com', []],
  ['sip:bob@example.com.evil.example', ['sip:*@example.com']],
  ['sip:bob@evil.example;x=@example.com', ['sip:*@example.com']],
  ['sip:bob@evil.example?x=@example.com', ['sip:*@example.com']],
  ['sip:a@evil.example@example.com', ['sip:*@example.com']],
  ['sip:bob@exampleXcom', ['sip:*@example.com']],
  ['sips:bob@example.com', ['sip:*@example.com']],
  ['tel:+44', ['tel:+4420*']],
])('%s may not be called', (uri, patterns) => {
  expect(isAllowed(uri, patterns)).toBe(false);
});
