{{/* A copy of charts/_common.tpl. Change that file and run make generate. */}}
{{/*
What the charts share. `make generate` copies this file into templates/ of each chart, with the chart's name for CHART;
CI fails where a copy differs. A template takes the root context unless its comment names another.

Each chart defines for it:
  model-server.component   the label app.kubernetes.io/component of its pods
  model-server.nameLength  the most characters of model-server.fullname, which leave space for the endings that the chart adds
  model-server.affinity    the affinity of its pods, empty for none
*/}}

{{/* Names and labels */}}

{{/* The chart's name, or the name that replaces it. */}}
{{- define "model-server.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects. */}}
{{- define "model-server.fullname" -}}
{{- $name := include "model-server.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $full .Values.fullnameOverride | trunc (include "model-server.nameLength" . | int) | trimSuffix "-" }}
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

{{/* Selects the pods. Kubernetes refuses another selector for a Deployment or StatefulSet that exists, so these never change. */}}
{{- define "model-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "model-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ include "model-server.component" . }}
{{- end }}

{{/* The labels of every object that only the chart sets. */}}
{{- define "model-server.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "model-server.selectorLabels" . }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The labels of every object. */}}
{{- define "model-server.labels" -}}
{{ include "model-server.ownLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The labels of the pods. The chart's version is not among them, so that a new version of the chart does not replace pods. */}}
{{- define "model-server.podLabels" -}}
{{- toYaml (merge (include "model-server.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels) }}
{{- end }}

{{/* Credentials */}}

{{/* The Secret whose entries become environment variables; empty for none. */}}
{{- define "model-server.credentialsSecretName" -}}
{{- if .Values.credentials.existingSecret }}
{{- .Values.credentials.existingSecret }}
{{- else if .Values.credentials.env }}
{{- include "model-server.fullname" . }}-credentials
{{- end }}
{{- end }}

{{/* The data of the chart's own Secret of credentials; empty for none. */}}
{{- define "model-server.credentialsData" -}}
{{- if not .Values.credentials.existingSecret }}
{{- range $name, $value := .Values.credentials.env }}
{{ $name }}: {{ b64enc $value }}
{{- end }}
{{- end }}
{{- end }}

{{- define "model-server.credentialsSecret" -}}
{{- with include "model-server.credentialsData" . | trim }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "model-server.credentialsSecretName" $ }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "model-server.labels" $ | nindent 4 }}
type: Opaque
data:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "model-server.envFrom" -}}
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

{{/* Objects that are the same in every chart */}}

{{- define "model-server.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "model-server.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "model-server.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{- define "model-server.extraObjects" -}}
{{- range .Values.extraObjects }}
---
{{ tpl (kindIs "string" . | ternary . (toYaml .)) $ }}
{{- end }}
{{- end }}

{{/* The pod */}}

{{/* The first fields of the pod's spec. */}}
{{- define "model-server.podIdentity" -}}
serviceAccountName: {{ include "model-server.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* The container's resources, with the GPUs as a limit: for an extended resource the request follows the limit. */}}
{{- define "model-server.resources" -}}
{{- $resources := deepCopy .Values.resources }}
{{- if .Values.gpu.enabled }}
{{- $resources = mustMergeOverwrite $resources (dict "limits" (dict .Values.gpu.resourceName .Values.gpu.count)) }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{/* The nodes that the pod may run on. */}}
{{- define "model-server.nodes" -}}
{{- with merge dict .Values.nodeSelector (.Values.gpu.enabled | ternary .Values.gpu.nodeSelector dict) }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .Values.tolerations (.Values.gpu.enabled | ternary .Values.gpu.tolerations list) }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The nodes, and the pod's place among other pods. A constraint without labelSelector spreads the release's own pods. */}}
{{- define "model-server.placement" -}}
{{- include "model-server.nodes" . }}
{{- with include "model-server.affinity" . }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "model-server.selectorLabels" . | fromYaml)) }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  {{- $constraint := . }}
  {{- if not .labelSelector }}
  {{- $constraint = merge dict . $own }}
  {{- end }}
  - {{ toYaml $constraint | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The pod of `helm test` */}}

{{/* Another component than the chart's pods, so that no Service and no NetworkPolicy selects it. */}}
{{- define "model-server.testLabels" -}}
{{- include "model-server.labels" . | replace (printf "component: %s" (include "model-server.component" .)) "component: test" }}
{{- end }}

{{- define "model-server.testSelectorLabels" -}}
{{- include "model-server.selectorLabels" . | replace (printf "component: %s" (include "model-server.component" .)) "component: test" }}
{{- end }}

{{- define "model-server.testPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end }}

{{- define "model-server.testContainer" -}}
resources:
  requests:
    cpu: 10m
    memory: 64Mi
    ephemeral-storage: 16Mi
  limits:
    memory: 256Mi
    ephemeral-storage: 64Mi
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{/* Requirements */}}

{{/* Fails for values that contradict each other in any chart, and renders nothing. Takes root and what the chart has
itself: volumes, containers and labels, a list of names each. */}}
{{- define "model-server.requirements" -}}
{{- $v := .root.Values }}
{{- if and $v.credentials.env $v.credentials.existingSecret }}
{{- fail "credentials.env and credentials.existingSecret are both set: keep one of them, and give further Secrets through extraEnvFrom." }}
{{- end }}
{{- /* A server-side apply refuses a list with one name twice, in an error that does not name the value. */}}
{{- $seen := dict }}
{{- range $v.extraEnv }}
{{- if hasKey $seen .name }}
{{- fail (printf "extraEnv has %s twice: keep one." .name) }}
{{- end }}
{{- if hasKey $v.credentials.env .name }}
{{- fail (printf "extraEnv and credentials.env both have %s: keep one." .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- range $v.extraVolumes }}
{{- if has .name $.volumes }}
{{- fail (printf "extraVolumes has %s, which is a volume of the chart's: give it another name." .name) }}
{{- end }}
{{- end }}
{{- range concat $v.extraContainers $v.extraInitContainers }}
{{- if has .name $.containers }}
{{- fail (printf "extraContainers or extraInitContainers has a container %s, which is the chart's: give it another name." .name) }}
{{- end }}
{{- end }}
{{- $reserved := concat .labels (include "model-server.ownLabels" .root | fromYaml | keys) }}
{{- range $where := list "commonLabels" "podLabels" }}
{{- range $label, $_ := get $v $where }}
{{- if has $label $reserved }}
{{- fail (printf "%s has %s, which the chart sets: remove it; names change through nameOverride." $where $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $v.gpu.enabled }}
{{- if or (hasKey (default dict $v.resources.limits) $v.gpu.resourceName) (hasKey (default dict $v.resources.requests) $v.gpu.resourceName) }}
{{- fail (printf "resources and gpu.enabled both give %s: remove it from resources and set gpu.count." $v.gpu.resourceName) }}
{{- end }}
{{- range $label, $value := $v.gpu.nodeSelector }}
{{- if and (hasKey $v.nodeSelector $label) (ne (get $v.nodeSelector $label) $value) }}
{{- fail (printf "nodeSelector and gpu.nodeSelector differ about %s, so that no node fits: keep one." $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
