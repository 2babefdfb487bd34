import { expect, test } from 'vitest';
import type { KubeClient } from './client.ts';
import { fencedClient } from './fenced-client.ts';
import { configMaps } from './kinds.ts';

test('who does not lead reads, and writes nothing', async () => {
  const calls: string[] = [];
  const client = new Proxy(
    {},
    {
      get: (_, name: string) => () => {
        calls.push(name);
        return Promise.resolve();
      },
    },
  ) as KubeClient;
  let leads = true;
  const fenced = fencedClient(client, () => leads);
  const [ref, object, write] = [{ name: 'x' }, { metadata: { name: 'x' } }, { fieldManager: 'm' }];
  const writes = [
    () => fenced.create(configMaps, object, write),
    () => fenced.replace(configMaps, object, write),
    () => fenced.applyServerSide(configMaps, object, write),
    () => fenced.patch(configMaps, ref, { ...write, patch: { type: 'merge', body: {} } }),
    () => fenced.delete(configMaps, ref),
  ];
  for (const each of writes) await each();
  expect(calls.splice(0)).toEqual(['create', 'replace', 'applyServerSide', 'patch', 'delete']);
  leads = false;
  for (const each of writes) await expect(each()).rejects.toMatchObject({ reason: 'NotLeader' });
  await fenced.get(configMaps, ref);
  await fenced.find(configMaps, ref);
  await fenced.list(configMaps);
  await fenced.close();
  expect(calls).toEqual(['get', 'find', 'list', 'close']);
});
