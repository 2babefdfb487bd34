{{/* What the operator may do where VoiceAgents are. */}}
{{- define "parley.rules" -}}
- apiGroups: [parley.dev]
  resources: [voiceagents]
  verbs: [get, list, watch, update, patch]
- apiGroups: [parley.dev]
  resources: [voiceagents/status, voiceagents/finalizers]
  verbs: [get, update, patch]
- apiGroups: ['']
  resources: [pods, configmaps, secrets]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: ['', events.k8s.io]
  resources: [events]
  verbs: [create, update, patch]
{{- end }}

{{/* Nodes are in no namespace: their loss and cordons move pods. */}}
{{- define "parley.nodeRules" -}}
- apiGroups: ['']
  resources: [nodes]
  verbs: [get, list, watch]
{{- end }}
