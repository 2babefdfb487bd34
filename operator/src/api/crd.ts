import { type Schema, structuralSchema } from './structural-schema.ts';
import { group, version, voiceAgentContent, voiceAgentNames } from './voice-agent.ts';

/** A CustomResourceDefinition as a plain object. */
interface Definition {
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** One per kind. */
export function customResourceDefinitions(): Definition[] {
  return [voiceAgentDefinition()];
}

const readyColumn = (field: 'status' | 'reason' | 'message') =>
  `.status.conditions[?(@.type=="Ready")].${field}`;

const columns = [
  { name: 'Ready', type: 'string', jsonPath: readyColumn('status') },
  { name: 'Desired', type: 'integer', jsonPath: '.spec.replicas' },
  { name: 'Current', type: 'integer', jsonPath: '.status.readyReplicas' },
  { name: 'Draining', type: 'integer', jsonPath: '.status.drainingReplicas', priority: 1 },
  { name: 'Reason', type: 'string', jsonPath: readyColumn('reason'), priority: 1 },
  { name: 'Message', type: 'string', jsonPath: readyColumn('message'), priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

function voiceAgentDefinition(): Definition {
  const { plural } = voiceAgentNames;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: voiceAgentNames,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: withObjectFields(structuralSchema(voiceAgentContent)) },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}

function withObjectFields(schema: Schema): Schema {
  const text = { type: 'string' };
  return {
    ...schema,
    properties: {
      apiVersion: text,
      kind: text,
      metadata: { type: 'object' },
      ...schema.properties,
    },
  };
}
