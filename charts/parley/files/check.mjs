// `helm test`: the API server serves VoiceAgents, and the operator is ready.
import { readFileSync } from 'node:fs';

const {
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: port,
  DEPLOYMENT: deployment,
} = process.env;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');

async function get(path) {
  const response = await fetch(
    `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}`,
    {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5000),
    },
  );
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function check() {
  const { resources } = await get('/apis/parley.dev/v1alpha1');
  const names = resources.map(({ name }) => name);
  for (const name of ['voiceagents', 'voiceagents/status', 'voiceagents/scale'])
    if (!names.includes(name)) throw new Error(`the API server does not serve ${name}`);
  const { status } = await get(deployment);
  if (!status.readyReplicas) throw new Error('no replica of the operator is ready');
  return status.readyReplicas;
}

for (let attempt = 1; ; attempt++) {
  try {
    console.log(`VoiceAgents are served; ${await check()} replica(s) of the operator are ready`);
    break;
  } catch (error) {
    console.log(`${error.message}${error.cause ? `: ${error.cause.message}` : ''}`);
    if (attempt === 30) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
