import { expect, inject, test } from 'vitest';
import { Kubectl, type KubeObject } from '../../cluster/kubectl.ts';
import { helm, installParley, release, releaseNamespace } from '../../cluster/release.ts';
import { podsOf } from '../../cluster/voice-agent.ts';
import { greeting, useSite } from './site.ts';

const { images, kubeconfig } = inject('target');
const site = useSite('release');
const system = new Kubectl(kubeconfig, releaseNamespace);

interface Deployment extends KubeObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { name: string; value?: string }[];
        }[];
      };
    };
  };
}

async function logLevel(): Promise<string | undefined> {
  const { spec } = await system.get<Deployment>('deployment', release);
  return spec.template.spec.containers[0]?.env.find(({ name }) => name === 'LOG_LEVEL')?.value;
}

/** Everything that carries the release's labels, in all namespaces and in none. */
async function leftovers(): Promise<string[]> {
  const kinds = [
    'deployments,replicasets,pods,services,serviceaccounts,configmaps,secrets,poddisruptionbudgets',
    'roles,rolebindings,clusterroles,clusterrolebindings,customresourcedefinitions',
  ].join();
  const selector = `app.kubernetes.io/instance=${release}`;
  const found = await system.run(['get', kinds, '-A', '-l', selector, '-o', 'name']);
  return found.split('\n').filter((line) => line !== '');
}

test('helm test finds a healthy release', async () => {
  expect(await helm(system, 'test', release, '--timeout', '60s')).toMatch(/Phase:\s+Succeeded/);
});

test('an upgrade and a rollback of the operator leave a call and its pod alone', async () => {
  const [pod] = await site.open(await site.pizza());
  const call = await site.caller.dial(pod!);
  expect(await site.caller.hears(call)).toBe(greeting);
  await installParley(system, images, { 'operator.logLevel': 'debug' });
  expect(await logLevel()).toBe('debug');
  await helm(system, 'rollback', release, '--wait', '--timeout', '120s');
  expect(await logLevel()).toBe('info');
  const pods = await podsOf(site.kubectl, 'pizza');
  expect(pods.map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid]);
  expect(call.isEnded).toBe(false);
  await call.hangUp();
});

test('uninstall leaves nothing but the CRDs, which crds.keep says', async () => {
  await site.kubectl.delete('voiceagent', 'pizza');
  await helm(system, 'uninstall', release, '--wait', '--timeout', '60s');
  await system.run([
    'wait',
    '--for=delete',
    'pods',
    '--selector',
    `app.kubernetes.io/instance=${release}`,
    '--timeout=60s',
  ]);
  expect(await leftovers()).toEqual([
    'customresourcedefinition.apiextensions.k8s.io/voiceagents.parley.dev',
  ]);
});

test('a new install takes over the CRDs that were kept', async () => {
  await installParley(system, images);
  expect(await site.open(await site.pizza())).toHaveLength(1);
});
