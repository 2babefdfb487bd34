import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';

/** Everything the operator is told, all of it in the environment. */
export interface Config {
  /** Path of a kubeconfig; without it the pod's service account is used. */
  readonly kubeconfig: string | undefined;
  /** Where VoiceAgents are cared for; empty: everywhere. */
  readonly namespaces: readonly string[];
  readonly pods: {
    readonly image: string;
    readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
    readonly imagePullSecrets: readonly string[];
  };
  readonly http: { readonly host: string; readonly port: number };
  /** Undefined: this process leads without asking. */
  readonly lease:
    | { readonly namespace: string | undefined; readonly name: string; readonly identity: string }
    | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );

/** `0.0.0.0:8080`, `[::]:8080`. */
const listen = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[0-9.]+):\d{1,5}$/,
    'expected an address and a port, as 0.0.0.0:8080',
  )
  .default('0.0.0.0:8080')
  .transform((text) => {
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
  });

const environment = z.object({
  KUBECONFIG: z.string().optional(),
  WATCH_NAMESPACES: list,
  CONNECTOR_IMAGE: z.string('the image of the connector').min(1),
  CONNECTOR_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  CONNECTOR_IMAGE_PULL_SECRETS: list,
  HTTP_LISTEN: listen,
  LEADER_ELECTION: z.enum(['true', 'false']).default('true'),
  LEASE_NAME: z.string().min(1).default('parley-operator'),
  POD_NAME: z.string().min(1).optional(),
  POD_NAMESPACE: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** Throws an Error with a line for every variable that is wrong. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const parsed = environment.safeParse(env);
  if (!parsed.success)
    throw new Error(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'),
    );
  const { data } = parsed;
  const identity = `${data.POD_NAME ?? hostname()}_${randomBytes(4).toString('hex')}`;
  return {
    kubeconfig: data.KUBECONFIG === '' ? undefined : data.KUBECONFIG,
    namespaces: data.WATCH_NAMESPACES,
    pods: {
      image: data.CONNECTOR_IMAGE,
      imagePullPolicy: data.CONNECTOR_IMAGE_PULL_POLICY,
      imagePullSecrets: data.CONNECTOR_IMAGE_PULL_SECRETS,
    },
    http: data.HTTP_LISTEN,
    lease:
      data.LEADER_ELECTION === 'true'
        ? { namespace: data.POD_NAMESPACE, name: data.LEASE_NAME, identity }
        : undefined,
    logLevel: data.LOG_LEVEL,
  };
}
