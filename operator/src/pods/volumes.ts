import { dirname } from 'node:path';
import { configFile, configFolder, secretsFolder, tokenFile } from '@parley/connector/contract/pod';
import type { VoiceAgentSpec } from '../api/voice-agent-spec.ts';
import type { PodSpec } from '../kube/kinds.ts';
import { configMapName, desiredStateAnnotation, tokenKey, tokenSecretName } from './names.ts';
import { keysBySecret } from './secret-refs.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type Mount = NonNullable<PodSpec['containers'][number]['volumeMounts']>[number];

/** `desired-state` holds the annotation of that name: what the pod is to do, should HTTP not reach it. */
const podFolder = '/etc/parley/pod';

/** Read by owner and group only. */
const mode = 0o440;

/**
 * Configuration, keys and desired state. Nothing is optional: a pod that would lack a key does not
 * start, and one that runs keeps what it has.
 */
export function volumesOf(
  agent: string,
  spec: VoiceAgentSpec,
): { volumes: Volume[]; mounts: Mount[] } {
  const secrets = secretVolumes(spec);
  return {
    volumes: [
      {
        name: 'config',
        configMap: {
          name: configMapName(agent),
          items: [{ key: configFile.slice(configFolder.length + 1), path: 'connector.json' }],
          defaultMode: mode,
        },
      },
      {
        name: 'token',
        secret: {
          secretName: tokenSecretName(agent),
          items: [{ key: tokenKey, path: tokenKey }],
          defaultMode: mode,
        },
      },
      {
        name: 'pod',
        downwardAPI: {
          defaultMode: mode,
          items: [
            {
              path: 'desired-state',
              fieldRef: { fieldPath: `metadata.annotations['${desiredStateAnnotation}']` },
            },
          ],
        },
      },
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
      ...secrets,
    ],
    mounts: [
      { name: 'config', mountPath: configFolder, readOnly: true },
      { name: 'token', mountPath: dirname(tokenFile), readOnly: true },
      { name: 'pod', mountPath: podFolder, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...secrets.map(({ name }) => ({ name, mountPath: secretsFolder, readOnly: true })),
    ],
  };
}

/** One volume for all Secrets: their names may be longer than a volume's. */
function secretVolumes(spec: VoiceAgentSpec): Volume[] {
  const keys = [...keysBySecret(spec)];
  if (keys.length === 0) return [];
  const sources = keys.map(([name, names]) => ({
    secret: { name, items: names.map((key) => ({ key, path: `${name}/${key}` })) },
  }));
  return [{ name: 'secrets', projected: { sources, defaultMode: mode } }];
}
