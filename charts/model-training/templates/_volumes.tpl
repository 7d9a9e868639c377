{{/* The volumes of a worker. */}}

{{- define "model-training.workspaceClaim" -}}
{{- default (printf "%s-workspace" (include "model-training.fullname" .)) .Values.workspace.existingClaim }}
{{- end }}

{{- define "model-training.modelsClaim" -}}
{{- default (printf "%s-models" (include "model-training.fullname" .)) .Values.publish.existingClaim }}
{{- end }}

{{/* The pod's volume with the models; empty for an object store. The kubelet never mounts one claim as two volumes, so one
claim for both is one volume. */}}
{{- define "model-training.modelsVolume" -}}
{{- if not .Values.publish.url }}
{{- $same := eq (include "model-training.modelsClaim" .) (include "model-training.workspaceClaim" .) }}
{{- and $same (eq .Values.workload.kind "Job") | ternary "workspace" "models" }}
{{- end }}
{{- end }}

{{/* The pod's volume with the data; empty for none. */}}
{{- define "model-training.dataVolume" -}}
{{- with .Values.data.existingClaim }}
{{- if and (eq . (include "model-training.workspaceClaim" $)) (eq $.Values.workload.kind "Job") }}workspace
{{- else if and (eq . (include "model-training.modelsClaim" $)) (include "model-training.modelsVolume" $) }}models
{{- else }}data
{{- end }}
{{- end }}
{{- end }}

{{/* Non-empty when the workers must run on one node, since they share a volume that only one node can mount. */}}
{{- define "model-training.oneNode" -}}
{{- $workspace := and (eq .Values.workload.kind "Job") (hasPrefix "ReadWriteOnce" .Values.workspace.accessMode) }}
{{- $models := and (not .Values.publish.url) (hasPrefix "ReadWriteOnce" .Values.publish.accessMode) }}
{{- $workers := mul (int .Values.workers) (include "model-training.trials" . | fromJsonArray | len) }}
{{- if and (or $workspace $models) (gt $workers 1) }}true{{ end }}
{{- end }}

{{- define "model-training.volumes" -}}
- name: hyperparameters
  configMap:
    name: {{ include "model-training.fullname" .root | quote }}
    items:
      - key: {{ include "model-training.run" . }}.yaml
        path: hyperparameters.yaml
      {{- if include "model-training.runsOnce" .root }}
      - key: run-once.sh
        path: run-once.sh
      {{- end }}
- name: tmp
  emptyDir: { {{- with .root.Values.tmp.sizeLimit }}sizeLimit: {{ . | quote }}{{ end -}} }
- name: shm
  emptyDir:
    medium: Memory
    {{- with .root.Values.shm.sizeLimit }}
    sizeLimit: {{ . | quote }}
    {{- end }}
{{- if eq .root.Values.workload.kind "Job" }}
- name: workspace
  persistentVolumeClaim:
    claimName: {{ include "model-training.workspaceClaim" .root | quote }}
{{- end }}
{{- if eq (include "model-training.modelsVolume" .root) "models" }}
- name: models
  persistentVolumeClaim:
    claimName: {{ include "model-training.modelsClaim" .root | quote }}
{{- end }}
{{- if eq (include "model-training.dataVolume" .root) "data" }}
- name: data
  persistentVolumeClaim:
    claimName: {{ .root.Values.data.existingClaim | quote }}
    readOnly: true
{{- end }}
{{- if .root.Values.logging.enabled }}
- name: log
  emptyDir: { {{- with .root.Values.logging.sizeLimit }}sizeLimit: {{ . | quote }}{{ end -}} }
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Mounts of the volumes that outlive the pod; the test's pod reads them. */}}
{{- define "model-training.keptMounts" -}}
- name: workspace
  mountPath: /workspace
  {{- if eq .Values.workload.kind "Job" }}
  {{- with default (.Values.workspace.existingClaim | empty | ternary "" .Release.Name) .Values.workspace.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  {{- end }}
{{- with include "model-training.modelsVolume" . }}
- name: {{ . }}
  mountPath: /models
  {{- with $.Values.publish.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "model-training.volumeMounts" -}}
- name: hyperparameters
  mountPath: /etc/slipway/training
  readOnly: true
- name: tmp
  mountPath: /tmp
- name: shm
  mountPath: /dev/shm
{{ include "model-training.keptMounts" . }}
{{- with include "model-training.dataVolume" . }}
- name: {{ . }}
  mountPath: /data
  {{- with $.Values.data.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  readOnly: true
{{- end }}
{{- if .Values.logging.enabled }}
- name: log
  mountPath: /var/log/slipway
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
