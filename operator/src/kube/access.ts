import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { messageOf } from '@parley/connector/base/errors';
import { localError } from './kube-error.ts';

/** Where the API server is and how to speak to it, as of now. */
export interface Access {
  /** Origin, and the path below which the API is (behind some proxies). */
  readonly server: URL;
  /** Of the context or the service account; what is namespaced goes here by default. */
  readonly namespace: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Tls;
  readonly proxy: string | undefined;
  /** Changes when connections must be made anew (other certificates, other server). */
  readonly fingerprint: string;
}

interface Tls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface AccessOptions {
  /** Path of a kubeconfig; without it the pod's service account is used. */
  readonly kubeconfig?: string;
}

/** The namespace of the pod, or of the kubeconfig's context; `default` where none is said. */
export async function namespaceOf(options: AccessOptions): Promise<string> {
  return (await readAccess(loadConfig(options))).namespace;
}

export function loadConfig({ kubeconfig }: AccessOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw localError('BadCredentials', `cannot load the cluster's config: ${messageOf(error)}`);
  }
  return config;
}

/**
 * Reads certificates and token (files, exec plugin, OIDC …) through the library. It caches a token
 * file for a minute and an exec token until it expires; a config loaded anew has nothing cached.
 */
export async function readAccess(config: KubeConfig): Promise<Access> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw localError('BadCredentials', 'the config has no current cluster');
  const options: RequestOptions = {};
  try {
    if (!URL.canParse(cluster.server))
      throw new Error('no server is named: neither a kubeconfig nor a pod of a cluster');
    const server = new URL(cluster.server);
    await config.applyToHTTPSOptions(options);
    if (cluster.proxyUrl?.startsWith('socks')) throw new Error('SOCKS proxies are not supported');
    const tls = tlsOf(options);
    return {
      server,
      namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
      headers: headersOf(options),
      tls,
      proxy: cluster.proxyUrl,
      fingerprint: fingerprintOf([
        server.href,
        cluster.proxyUrl,
        tls.ca,
        tls.cert,
        tls.key,
        tls.servername,
        tls.rejectUnauthorized,
      ]),
    };
  } catch (error) {
    throw localError('BadCredentials', `cannot read the credentials: ${messageOf(error)}`);
  }
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Tls {
  return {
    ...bufferOf('ca', ca),
    ...bufferOf('cert', cert),
    ...bufferOf('key', key),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

function bufferOf(name: 'ca' | 'cert' | 'key', value: unknown): Tls {
  if (Buffer.isBuffer(value)) return { [name]: value };
  return typeof value === 'string' ? { [name]: Buffer.from(value) } : {};
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const found: Record<string, string> = {};
  // A token file ends with a line feed where people made it; a header may not.
  for (const [name, value] of Object.entries(headers ?? {}))
    if (typeof value === 'string') found[name.toLowerCase()] = value.trim();
  if (auth) found['authorization'] ??= `Basic ${Buffer.from(auth).toString('base64')}`;
  return found;
}

function fingerprintOf(parts: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(Buffer.isBuffer(part) ? part : String(part)).update('\0');
  return hash.digest('base64');
}
