import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

test('an image is all that must be said', () => {
  const { lease, ...config } = readConfig({ CONNECTOR_IMAGE: 'connector:1' });
  expect(config).toEqual({
    kubeconfig: undefined,
    namespaces: [],
    pods: { image: 'connector:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
    http: { host: '0.0.0.0', port: 8080 },
    logLevel: 'info',
  });
  expect(lease).toMatchObject({ namespace: undefined, name: 'parley-operator' });
});

test('lists are separated by commas, empty ones are empty', () => {
  const config = readConfig({
    CONNECTOR_IMAGE: 'connector:1',
    WATCH_NAMESPACES: 'a, b',
    CONNECTOR_IMAGE_PULL_SECRETS: '',
    HTTP_LISTEN: '[::]:9000',
  });
  expect(config.namespaces).toEqual(['a', 'b']);
  expect(config.pods.imagePullSecrets).toEqual([]);
  expect(config.http).toEqual({ host: '::', port: 9000 });
});

test('two starts of one pod are two candidates', () => {
  const env = { CONNECTOR_IMAGE: 'connector:1', POD_NAME: 'operator-0' };
  expect(readConfig(env).lease?.identity).not.toBe(readConfig(env).lease?.identity);
});

test.each([
  { name: 'no image', env: {}, message: 'CONNECTOR_IMAGE: the image of the connector' },
  {
    name: 'a port alone',
    env: { CONNECTOR_IMAGE: 'c', HTTP_LISTEN: ':8080' },
    message: 'HTTP_LISTEN: expected an address and a port, as 0.0.0.0:8080',
  },
])('$name is refused by name', ({ env, message }) => {
  expect(() => readConfig(env)).toThrow(message);
});
