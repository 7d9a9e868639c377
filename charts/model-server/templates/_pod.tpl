{{/* Parts of the pod that need more than a line. */}}

{{/* The chart's version is not among them: a new chart alone need not make new pods. */}}
{{- define "model-server.podLabels" -}}
{{- toYaml (merge (include "model-server.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels) }}
{{- end }}

{{/* The rollout: by default a new pod is ready before an old one goes. With every GPU taken the new pod could never
start, so there an old one goes first. With one pod that leaves none either way, and Recreate says so: under a rolling
update that may do without its only pod, Helm takes a pod that is Pending for a release that is ready. */}}
{{- define "model-server.strategy" -}}
{{- if .Values.updateStrategy }}
{{- toYaml .Values.updateStrategy }}
{{- else if and .Values.gpu.enabled (not .Values.autoscaling.enabled) (le (int .Values.replicaCount) 1) }}
type: Recreate
{{- else }}
type: RollingUpdate
rollingUpdate:
  maxSurge: {{ .Values.gpu.enabled | ternary 0 "25%" }}
  maxUnavailable: {{ .Values.gpu.enabled | ternary 1 0 }}
{{- end }}
{{- end }}

{{/* The volume of models, empty when the image's own are served. */}}
{{- define "model-server.modelsVolume" -}}
{{- with .Values.models.persistentVolumeClaim.existingClaim }}
persistentVolumeClaim:
  claimName: {{ . }}
  readOnly: true
{{- end }}
{{- with .Values.models.ociImage }}
{{- if .reference }}
image:
  reference: {{ .reference | quote }}
  pullPolicy: {{ .pullPolicy }}
{{- end }}
{{- end }}
{{- with .Values.models.fetch }}
{{- if .source }}
emptyDir:
  sizeLimit: {{ .sizeLimit }}
{{- end }}
{{- end }}
{{- with .Values.models.configMap }}
{{- if .name }}
configMap:
  name: {{ .name }}
  {{- with .items }}
  items:
    {{- range $key, $path := . }}
    - key: {{ $key | quote }}
      path: {{ $path | quote }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "model-server.volumes" -}}
- name: config
  configMap:
    name: {{ include "model-server.fullname" . }}
{{- with include "model-server.authSecretName" . }}
- name: auth
  secret:
    secretName: {{ . }}
    items:
      - key: {{ include "model-server.authSecretKey" $ | quote }}
        path: keys.txt
{{- end }}
{{- with include "model-server.modelsVolume" . }}
- name: models
  {{- . | trim | nindent 2 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "model-server.volumeMounts" -}}
- name: config
  mountPath: /etc/slipway/config
  readOnly: true
{{- if include "model-server.authSecretName" . }}
- name: auth
  mountPath: /etc/slipway/auth
  readOnly: true
{{- end }}
{{- if include "model-server.modelsVolume" . }}
- name: models
  mountPath: {{ default "/models" .Values.config.models }}
  {{- with .Values.models.persistentVolumeClaim.subPath }}
  subPath: {{ . }}
  {{- end }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Resources, with the GPUs as a limit: for an extended resource the request follows it. */}}
{{- define "model-server.resources" -}}
{{- $resources := deepCopy .Values.resources }}
{{- if .Values.gpu.enabled }}
{{- $resources = mustMergeOverwrite $resources (dict "limits" (dict .Values.gpu.resourceName .Values.gpu.count)) }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{- define "model-server.nodeSelector" -}}
{{- $labels := merge dict .Values.nodeSelector }}
{{- if .Values.gpu.enabled }}
{{- $labels = merge $labels .Values.gpu.nodeSelector }}
{{- end }}
{{- with $labels }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "model-server.tolerations" -}}
{{- with .Values.gpu.enabled | ternary (concat .Values.tolerations .Values.gpu.tolerations) .Values.tolerations }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "model-server.topologySpreadConstraints" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "model-server.selectorLabels" . | fromYaml)) }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraint := . }}
{{- if not .labelSelector }}
{{- $constraint = merge dict . $own }}
{{- end }}
- {{ toYaml $constraint | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* Environment variables of the server and of what fetches its models. */}}
{{- define "model-server.environment" -}}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $credentials := include "model-server.credentialsSecretName" . }}
{{- if or $credentials .Values.extraEnvFrom }}
envFrom:
  {{- with $credentials }}
  - secretRef:
      name: {{ . }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The container that brings the models before the server starts. It writes beside its target and renames, so /models is
the volume and the server sees whole bundles alone. */}}
{{- define "model-server.fetch" -}}
- name: fetch
  image: {{ include "model-server.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - fetch
    - {{ .Values.models.fetch.source | quote }}
    - {{ default "/models" .Values.config.models }}
    {{- with .Values.models.fetch.sha256 }}
    - --sha256={{ . }}
    {{- end }}
    {{- with .Values.models.fetch.model }}
    - --model={{ . }}
    {{- end }}
    {{- with .Values.models.fetch.version }}
    - --version={{ . }}
    {{- end }}
    {{- with .Values.models.fetch.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with include "model-server.environment" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
    - name: models
      mountPath: {{ default "/models" .Values.config.models }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
