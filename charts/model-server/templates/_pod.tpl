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
  claimName: {{ . | quote }}
  readOnly: true
{{- end }}
{{- with .Values.models.ociImage }}
{{- if .reference }}
image:
  reference: {{ include "model-server.inRegistry" (dict "root" $ "image" .reference) | quote }}
  pullPolicy: {{ .pullPolicy }}
{{- end }}
{{- end }}
{{- with .Values.models.fetch }}
{{- if .source }}
emptyDir: { {{- with .sizeLimit }}sizeLimit: {{ . | quote }}{{ end -}} }
{{- end }}
{{- end }}
{{- with .Values.models.configMap }}
{{- if .name }}
configMap:
  name: {{ .name | quote }}
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
    name: {{ include "model-server.fullname" . | quote }}
{{- /* Outlives the container, so that after a crash the server knows which model was running. */}}
- name: crash-marks
  emptyDir:
    sizeLimit: 16Mi
{{- with include "model-server.authSecretName" . }}
- name: auth
  secret:
    secretName: {{ . | quote }}
    items:
      - key: {{ include "model-server.authSecretKey" $ | quote }}
        path: keys.txt
{{- end }}
{{- with include "model-server.modelsVolume" . }}
- name: models
  {{- . | trim | nindent 2 }}
{{- end }}
{{- with include "model-server.credentialsSecretName" . }}
- name: credentials
  secret:
    secretName: {{ . | quote }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "model-server.volumeMounts" -}}
- name: config
  mountPath: /etc/slipway/config
  readOnly: true
- name: crash-marks
  mountPath: /var/lib/slipway
{{- if include "model-server.authSecretName" . }}
- name: auth
  mountPath: /etc/slipway/auth
  readOnly: true
{{- end }}
{{- if include "model-server.modelsVolume" . }}
- name: models
  mountPath: {{ .Values.config.models | quote }}
  {{- with .Values.models.persistentVolumeClaim.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Environment variables of the server and of the container that fetches its models. */}}
{{- define "model-server.env" -}}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The server's environment, without the store's credentials: what a client or a model makes of the server, it can't read
them. */}}
{{- define "model-server.environment" -}}
{{- include "model-server.env" . }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The resources of the container that fetches. Its disk limit is that of the models: a pod may use as much as the largest of
its init containers or the sum of the others. */}}
{{- define "model-server.fetchResources" -}}
{{- $resources := deepCopy .Values.resources }}
{{- if and .Values.models.fetch.sizeLimit (hasKey (default dict $resources.limits) "ephemeral-storage") }}
{{- $_ := set $resources.limits "ephemeral-storage" .Values.models.fetch.sizeLimit }}
{{- end }}
{{- toYaml $resources }}
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
    - {{ .Values.config.models | quote }}
    {{- with .Values.models.fetch.sha256 }}
    - {{ printf "--sha256=%s" . | quote }}
    {{- end }}
    {{- with .Values.models.fetch.model }}
    - {{ printf "--model=%s" . | quote }}
    {{- end }}
    {{- with .Values.models.fetch.version }}
    - {{ printf "--version=%d" (int64 .) | quote }}
    {{- end }}
    {{- with .Values.models.fetch.sizeLimit }}
    - {{ printf "--max-bytes=%s" . | quote }}
    {{- end }}
    {{- with .Values.models.fetch.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with printf "%s%s" (include "model-server.env" .) (include "model-server.envFrom" .) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  resources:
    {{- include "model-server.fetchResources" . | nindent 4 }}
  {{- include "model-server.securityContext" . | nindent 2 }}
  volumeMounts:
    - name: models
      mountPath: {{ .Values.config.models | quote }}
    {{- if include "model-server.credentialsSecretName" . }}
    - name: credentials
      mountPath: /etc/slipway/credentials
      readOnly: true
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
