{{/* The chart's name, or what the user calls it. */}}
{{- define "model-training.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects. 45 characters leave room in a host name for a trial, a hash and a worker's number. */}}
{{- define "model-training.fullname" -}}
{{- $name := include "model-training.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $full .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "model-training.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "model-training.fullname" .) "default") .Values.serviceAccount.name }}
{{- end }}

{{- define "model-training.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What selects the workers. A StatefulSet's selector can't change, so neither can these. */}}
{{- define "model-training.selectorLabels" -}}
app.kubernetes.io/name: {{ include "model-training.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: trainer
{{- end }}

{{/* Labels that the chart itself gives to every object. */}}
{{- define "model-training.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "model-training.selectorLabels" . }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "model-training.labels" -}}
{{ include "model-training.ownLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The Secret whose entries become environment variables; empty when there is none. */}}
{{- define "model-training.credentialsSecretName" -}}
{{- if .Values.credentials.existingSecret }}
{{- .Values.credentials.existingSecret }}
{{- else if .Values.credentials.env }}
{{- include "model-training.fullname" . }}-credentials
{{- end }}
{{- end }}

{{- define "model-training.credentialsData" -}}
{{- if not .Values.credentials.existingSecret }}
{{- range $name, $value := .Values.credentials.env }}
{{ $name }}: {{ b64enc $value }}
{{- end }}
{{- end }}
{{- end }}
