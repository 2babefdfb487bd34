import type { PodSpec } from '../kube/kinds.ts';

/** The user of the image; files of Secrets are readable by its group. */
const uid = 1000;

export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: uid,
  runAsGroup: uid,
  fsGroup: uid,
  seccompProfile: { type: 'RuntimeDefault' },
} satisfies PodSpec['securityContext'];

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} satisfies PodSpec['containers'][number]['securityContext'];
