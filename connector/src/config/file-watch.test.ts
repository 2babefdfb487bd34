import { expect, test } from 'vitest';
import { namesByFolder } from './file-watch.ts';

test('the folder of each file and the one above are watched for these names and no others', () => {
  const found = namesByFolder([
    '/etc/parley/config/connector.json',
    '/etc/parley/secrets/openai/key',
    '/etc/parley/secrets/openai/other',
    '/connector.yaml',
  ]);
  expect([...found].map(([folder, names]) => [folder, [...names].toSorted()])).toEqual([
    ['/etc/parley/config', ['..data', 'connector.json']],
    ['/etc/parley', ['..data', 'config']],
    ['/etc/parley/secrets/openai', ['..data', 'key', 'other']],
    ['/etc/parley/secrets', ['..data', 'openai']],
    ['/', ['..data', 'connector.yaml']],
  ]);
});
