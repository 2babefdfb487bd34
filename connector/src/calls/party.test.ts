import { expect, test } from 'vitest';
import { nameAddrOf, parseParty, userOf } from './party.ts';

test.each([
  {
    value: '"Ann \\"A\\" B" <sip:ann@example.com;user=phone>;tag=t1',
    want: {
      uri: 'sip:ann@example.com;user=phone',
      user: 'ann',
      displayName: 'Ann "A" B',
      tag: 't1',
    },
  },
  {
    value: 'sip:+441632960961@10.0.0.1;tag=abc',
    want: { uri: 'sip:+441632960961@10.0.0.1', user: '+441632960961', displayName: '', tag: 'abc' },
  },
  {
    value: 'Bob <sips:b%20ob@x.y:5061>',
    want: { uri: 'sips:b%20ob@x.y:5061', user: 'b ob', displayName: 'Bob', tag: '' },
  },
  {
    value: '<tel:+15550100;phone-context=x> ; TAG = q ; x=1',
    want: { uri: 'tel:+15550100;phone-context=x', user: '+15550100', displayName: '', tag: 'q' },
  },
  { value: 'nonsense', want: { uri: 'nonsense', user: '', displayName: '', tag: '' } },
  { value: '', want: { uri: '', user: '', displayName: '', tag: '' } },
])('$value is taken apart', ({ value, want }) => {
  expect(parseParty(value)).toEqual(want);
});

test.each([
  ['sip:alice;day=1:secret@x', 'alice'],
  ['sip:x.example', ''],
  ['sip:%zz@x', '%zz'],
])('the user of %s is %s', (uri, want) => {
  expect(userOf(uri)).toBe(want);
});

test('a URI cannot leave its brackets', () => {
  expect(nameAddrOf('sip:a@b')).toBe('<sip:a@b>');
  expect(nameAddrOf('sip:a>;x="y"@b')).toBe('<sip:a%3E;x=%22y%22@b>');
});
