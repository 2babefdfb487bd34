import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Kubectl } from '../../cluster/kubectl.ts';
import { createNamespace } from '../../cluster/release.ts';
import { until } from '../../cluster/shell.ts';

const { images, kubeconfig } = inject('target');
const kubectl = new Kubectl(kubeconfig, 'e2e-volume');

beforeAll(() => createNamespace(kubectl, kubectl.namespace, 'privileged'));
afterAll(() => kubectl.delete('namespace', kubectl.namespace));

/** Prints each new content of the files, as JSON. */
const watcher = `
const { readFileSync } = require('node:fs');
let last = '';
setInterval(() => {
  const now = JSON.stringify(['config/v', 'secret/v', 'pod/v'].map((f) => readFileSync('/mnt/' + f, 'utf8')));
  if (now !== last) console.log(last = now);
}, 20);`;

const mounts = ['config', 'secret', 'pod'].map((name) => ({ name, mountPath: `/mnt/${name}` }));

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'watcher', annotations: { v: 'one' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'watcher',
        image: images.operator,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--eval', watcher],
        volumeMounts: mounts,
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'content' } },
      { name: 'secret', secret: { secretName: 'content' } },
      {
        name: 'pod',
        downwardAPI: {
          items: [{ path: 'v', fieldRef: { fieldPath: "metadata.annotations['v']" } }],
        },
      },
    ],
  },
};

async function write(v: string): Promise<void> {
  const base = { apiVersion: 'v1', metadata: { name: 'content' } };
  await kubectl.apply({ ...base, kind: 'ConfigMap', data: { v } });
  await kubectl.apply({ ...base, kind: 'Secret', stringData: { v } });
}

function shows(v: string): () => Promise<boolean> {
  const wanted = JSON.stringify([v, v, v]);
  return async () => (await kubectl.run(['logs', 'watcher'])).includes(wanted);
}

/** The operator counts on it: kubelet alone would take up to a minute. */
test('a touched pod annotation makes kubelet sync ConfigMap, Secret and annotations at once', async () => {
  await write('one');
  await kubectl.apply(pod);
  await until('the pod to run', 30_000, shows('one'));
  await write('two');
  const touched = performance.now();
  await kubectl.run(['annotate', '--overwrite', 'pod', 'watcher', 'v=two']);
  await until('new files', 20_000, shows('two'));
  const took = performance.now() - touched;
  console.log(`measured: touch of an annotation to new files in the pod ${took.toFixed(0)} ms`);
  expect(took).toBeLessThan(10_000);
});
