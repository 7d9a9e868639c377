{{/* Parts of the server's pod that take more than a line. */}}

{{/* By default a rollout stops an old pod when a new one is ready. Where every GPU is taken, the new pod could never start,
so the old one stops first. A single pod then gets Recreate: under a rolling update that may stop the only pod, Helm
takes a Pending pod for a ready release. */}}
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

{{/* The volume of models, empty when the server runs the image's own. */}}
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

{{/* Environment variables of the server and of the container that fetches its models. */}}
{{- define "model-server.environment" -}}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "model-server.envFrom" . }}
{{- end }}

{{/* Fetches the models before the server starts. It writes beside a version's folder and renames it, so its volume is
/models itself and the server sees only complete bundles. */}}
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
