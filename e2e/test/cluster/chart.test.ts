import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, inject, test } from 'vitest';
import { execute, type KubeObject } from '../../cluster/kubectl.ts';
import { binary } from '../../cluster/layout.ts';

const root = resolve(import.meta.dirname, '../../..');
const chart = resolve(root, 'charts/parley');
const { kubeconfig } = inject('target');

interface Rendered extends KubeObject {
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** What the chart makes of the settings, in the order of the templates. */
async function render(...settings: string[]): Promise<Rendered[]> {
  const values = settings.flatMap((setting) => ['--set', setting]);
  const place = ['parley', chart, '--namespace', 'parley-system'];
  const yaml = await execute(binary('helm'), ['template', ...place, ...values]);
  const options = ['create', '--dry-run=client', '--output', 'json', '--filename', '-'];
  const access = ['--kubeconfig', kubeconfig];
  const json = await execute(binary('kubectl'), [...access, ...options], { input: yaml });
  // kubectl prints one JSON document for each object.
  return JSON.parse(`[${json.trim().replaceAll(/\n\}\n\{/g, '\n},{')}]`) as Rendered[];
}

function kindsOf(objects: readonly Rendered[]): string[] {
  return objects.map(({ kind }) => kind ?? '');
}

function crdOf(objects: readonly Rendered[]): Rendered | undefined {
  return objects.find(({ kind }) => kind === 'CustomResourceDefinition');
}

test('helm finds nothing to complain about', async () => {
  const said = await execute(binary('helm'), ['lint', '--strict', chart]);
  expect(said).toMatch(/0 chart\(s\) failed/);
});

test("the chart's CRDs are those of crds/", () => {
  const names = readdirSync(resolve(root, 'crds'));
  expect(readdirSync(resolve(chart, 'files/crds'))).toEqual(names);
  for (const name of names)
    expect(readFileSync(resolve(chart, 'files/crds', name), 'utf8')).toBe(
      readFileSync(resolve(root, 'crds', name), 'utf8'),
    );
});

test('CRDs outlive the release unless told otherwise, and are optional', async () => {
  const policy = { 'helm.sh/resource-policy': 'keep' };
  expect(crdOf(await render())?.metadata.annotations).toMatchObject(policy);
  const free = crdOf(await render('crds.keep=false'));
  expect(free?.metadata.annotations ?? {}).not.toMatchObject(policy);
  expect(kindsOf(await render('crds.install=false'))).not.toContain('CustomResourceDefinition');
});

test('no rule has a wildcard', async () => {
  const rules = (await render()).flatMap((object) => object.rules ?? []);
  expect(rules.length).toBeGreaterThan(4);
  for (const { apiGroups, resources, verbs } of rules)
    expect([...apiGroups, ...resources, ...verbs].filter((word) => word.includes('*'))).toEqual([]);
});

test('with namespaces named, rights are granted there only', async () => {
  const objects = await render('watchNamespaces={red,blue}');
  const roles = objects.filter(
    ({ kind, metadata }) => kind === 'Role' && metadata.name === 'parley',
  );
  expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['red', 'blue']);
  const cluster = objects.find(({ kind }) => kind === 'ClusterRole');
  expect(cluster?.rules?.flatMap(({ resources }) => resources)).toEqual(['nodes']);
});

test('one replica has no disruption budget: it would keep its node from being drained', async () => {
  expect(kindsOf(await render('operator.replicas=1'))).not.toContain('PodDisruptionBudget');
  expect(kindsOf(await render())).toContain('PodDisruptionBudget');
});

test('both images are in the hands of the values', async () => {
  const objects = await render('operator.image.tag=a1', 'connector.image.repository=me/c');
  const deployment = JSON.stringify(objects.find(({ kind }) => kind === 'Deployment'));
  expect(deployment).toContain('"image":"parley-operator:a1"');
  expect(deployment).toContain('{"name":"CONNECTOR_IMAGE","value":"me/c:0.1.0"}');
});

test.each([
  'operator.replica=3',
  'operator.replicas=0',
  'crds.install=maybe',
  'image.tag=1',
  'watchNamespaces={No}',
])('a value that means nothing is refused: %s', async (setting) => {
  await expect(render(setting)).rejects.toThrow(/values don't meet the specifications/);
});
