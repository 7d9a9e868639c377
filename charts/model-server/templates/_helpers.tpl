{{/* The chart's name, or what the user calls it. */}}
{{- define "model-server.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects. 55 characters leave room in a DNS label for the endings -admin and -predict. */}}
{{- define "model-server.fullname" -}}
{{- $name := include "model-server.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $full .Values.fullnameOverride | trunc 55 | trimSuffix "-" }}
{{- end }}

{{- define "model-server.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "model-server.fullname" .) "default") .Values.serviceAccount.name }}
{{- end }}

{{- define "model-server.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What selects the server's pods. A Deployment's selector can't change, so neither can these. */}}
{{- define "model-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "model-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{/* Labels that the chart itself gives to every object. */}}
{{- define "model-server.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "model-server.selectorLabels" . }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "model-server.labels" -}}
{{ include "model-server.ownLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The Secret of API keys; empty when the server asks for none. */}}
{{- define "model-server.authSecretName" -}}
{{- if .Values.auth.existingSecret }}
{{- .Values.auth.existingSecret }}
{{- else if .Values.auth.keys }}
{{- include "model-server.fullname" . }}-auth
{{- end }}
{{- end }}

{{/* The entry of that Secret that is the file of keys. */}}
{{- define "model-server.authSecretKey" -}}
{{- .Values.auth.existingSecret | empty | ternary "keys.txt" .Values.auth.existingSecretKey }}
{{- end }}

{{/* The Secret whose entries become environment variables; empty when there is none. */}}
{{- define "model-server.credentialsSecretName" -}}
{{- if .Values.credentials.existingSecret }}
{{- .Values.credentials.existingSecret }}
{{- else if .Values.credentials.env }}
{{- include "model-server.fullname" . }}-credentials
{{- end }}
{{- end }}

{{/* The server's configuration: what the chart knows, and the user's values over it. */}}
{{- define "model-server.config" -}}
{{- $driven := dict "http" (dict "address" ":8080") "grpc" (dict "address" ":8081") "admin" (dict "address" ":9090") }}
{{- if include "model-server.authSecretName" . }}
{{- $_ := set $driven "auth" (dict "keysFile" "/etc/slipway/auth/keys.txt") }}
{{- end }}
{{- toYaml (mustMergeOverwrite $driven (deepCopy .Values.config)) }}
{{- end }}

{{/* Seconds of a duration such as 1m30s. */}}
{{- define "model-server.seconds" -}}
{{- $units := dict "h" 3600 "m" 60 "s" 1 }}
{{- $sum := 0 }}
{{- range regexFindAll "[0-9]+[hms]" . -1 }}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int) (get $units (regexFind "[hms]" .))) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* How long the server itself may take to stop. */}}
{{- define "model-server.shutdownSeconds" -}}
{{- $shutdown := default dict .Values.config.shutdown }}
{{- add (include "model-server.seconds" (default "5s" $shutdown.delay)) (include "model-server.seconds" (default "25s" $shutdown.gracePeriod)) }}
{{- end }}
