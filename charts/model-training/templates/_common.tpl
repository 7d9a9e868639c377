{{/* A copy of charts/_common.tpl. Change that file and run make generate. */}}
{{/*
What the charts share. `make generate` copies this file into templates/ of each chart, with the chart's own name in place of
the word in capitals; CI fails where a copy differs. A template takes the root context unless its comment names another.

Each chart defines for it:
  model-training.off         a YAML list of the values that null turns off
  model-training.component   the label app.kubernetes.io/component of its pods
  model-training.nameLength  the most characters of model-training.fullname, which leave space for the endings that the chart adds
  model-training.affinity    the affinity of its pods, empty for none
*/}}

{{/* Values */}}

{{/* Gives each value that is null its default, or one that is off: a Kubernetes object such as a probe, or what model-training.off
lists. Values that a release took over from an older version of the chart lack what is new, and get its default too. What has
no default, such as an annotation, is absent when it is null. Each template begins with this, since Helm has no order of
templates; only the first one fills the values in. Nothing is rendered. */}}
{{- define "model-training.values" -}}
{{- if not (hasKey .Values "filled") }}
{{- include "model-training.fill" (dict "values" .Values "defaults" (include "model-training.defaults" . | fromYaml) "path" "" "off" (include "model-training.off" . | fromYamlArray)) }}
{{- $_ := set .Values "filled" true }}
{{- end }}
{{- end }}

{{/* Takes values, defaults, path (with a dot at its end) and off, the paths that null turns off. Not merge, which takes false, 0
and "" for absent. */}}
{{- define "model-training.fill" -}}
{{- range $key, $given := .values }}
{{- if and (kindIs "invalid" $given) (not (hasKey $.defaults $key)) }}
{{- $_ := unset $.values $key }}
{{- else if and (kindIs "map" $given) (not (hasKey $.defaults $key)) }}
{{- include "model-training.fill" (dict "values" $given "defaults" dict "path" "" "off" list) }}
{{- end }}
{{- end }}
{{- range $key, $default := .defaults }}
{{- $path := printf "%s%s" $.path $key }}
{{- $given := index $.values $key }}
{{- if has $path $.off }}
{{- if kindIs "map" $given }}
{{- include "model-training.fill" (dict "values" $given "defaults" dict "path" "" "off" list) }}
{{- else if and (kindIs "invalid" $given) (kindIs "map" $default) }}
{{- $_ := set $.values $key dict }}
{{- end }}
{{- else if kindIs "invalid" $given }}
{{- $_ := set $.values $key $default }}
{{- else if and (kindIs "map" $given) (kindIs "map" $default) }}
{{- include "model-training.fill" (dict "values" $given "defaults" $default "path" (printf "%s." $path) "off" $.off) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Names and labels */}}

{{/* A name that every kind of object may have: lower-case letters, digits and hyphens, with a letter first. A name that is changed
for that, or is too long, gets a hash, so that two names never become one. Takes name and length, the most characters. */}}
{{- define "model-training.objectName" -}}
{{- $name := regexReplaceAll "[^a-z0-9-]+" (lower .name) "-" | trimAll "-" }}
{{- if not (regexMatch "^[a-z]" $name) }}
{{- $name = printf "slipway-%s" $name }}
{{- end }}
{{- if or (ne $name .name) (gt (len $name) (int .length)) }}
{{- $name = printf "%s-%s" (trunc (sub .length 9 | int) $name | trimSuffix "-") (sha256sum .name | trunc 8) }}
{{- end }}
{{- $name }}
{{- end }}

{{/* The name of the objects. A release's name that has the chart's in it stands for both, but not in a parent chart with aliases:
two of them would get one name. */}}
{{- define "model-training.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := printf "%s-%s" .Release.Name $name }}
{{- if and (contains $name .Release.Name) (or .Chart.IsRoot (eq .Chart.Name "model-training")) }}
{{- $full = .Release.Name }}
{{- end }}
{{- include "model-training.objectName" (dict "name" (default $full .Values.fullnameOverride) "length" (include "model-training.nameLength" . | int)) }}
{{- end }}

{{- define "model-training.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "model-training.fullname" .) "default") .Values.serviceAccount.name }}
{{- end }}

{{/* An image's name in global.imageRegistry, which replaces the registry that the name begins with. Takes root and image. */}}
{{- define "model-training.inRegistry" -}}
{{- $image := .image }}
{{- with .root.Values.global.imageRegistry }}
{{- $image = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $image "") }}
{{- end }}
{{- $image }}
{{- end }}

{{- define "model-training.image" -}}
{{- $repository := include "model-training.inRegistry" (dict "root" . "image" .Values.image.repository) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Selects the pods. Kubernetes refuses another selector for a Deployment or StatefulSet that exists, so no value is in it. In a
parent chart the chart's name is its alias, which keeps two apart. */}}
{{- define "model-training.selectorLabels" -}}
app.kubernetes.io/name: {{ include "model-training.objectName" (dict "name" .Chart.Name "length" 63) | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: {{ include "model-training.component" . }}
{{- end }}

{{/* The labels of every object that only the chart sets. A tag may have a digest, 128 characters and a _ at its ends. */}}
{{- define "model-training.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
{{ include "model-training.selectorLabels" . }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | splitList "@" | first | trimAll "-_." | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{/* The labels of every object. */}}
{{- define "model-training.labels" -}}
{{ include "model-training.ownLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The labels of the pods. The chart's version is not among them, so that a new version of the chart does not replace pods. */}}
{{- define "model-training.podLabels" -}}
{{- toYaml (merge (include "model-training.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels) }}
{{- end }}

{{/* Credentials */}}

{{/* The Secret whose entries become environment variables; empty for none. */}}
{{- define "model-training.credentialsSecretName" -}}
{{- if .Values.credentials.existingSecret }}
{{- .Values.credentials.existingSecret }}
{{- else if .Values.credentials.env }}
{{- include "model-training.fullname" . }}-credentials
{{- end }}
{{- end }}

{{/* The data of the chart's own Secret of credentials; empty for none. */}}
{{- define "model-training.credentialsData" -}}
{{- if not .Values.credentials.existingSecret }}
{{- range $name, $value := .Values.credentials.env }}
{{ $name | quote }}: {{ b64enc $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "model-training.credentialsSecret" -}}
{{- with include "model-training.credentialsData" . | trim }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "model-training.credentialsSecretName" $ | quote }}
  namespace: {{ $.Release.Namespace | quote }}
  labels:
    {{- include "model-training.labels" $ | nindent 4 }}
type: Opaque
data:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "model-training.envFrom" -}}
{{- $credentials := include "model-training.credentialsSecretName" . }}
{{- if or $credentials .Values.extraEnvFrom }}
envFrom:
  {{- with $credentials }}
  - secretRef:
      name: {{ . | quote }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Objects that are the same in every chart */}}

{{- define "model-training.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "model-training.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    {{- include "model-training.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
{{- end }}
{{- end }}

{{/* Templates are rendered in text only: an alert rule or a dashboard is YAML with braces of its own. */}}
{{- define "model-training.extraObjects" -}}
{{- range .Values.extraObjects }}
---
{{ if kindIs "string" . }}{{ tpl . $ }}{{ else }}{{ toYaml . }}{{ end }}
{{- end }}
{{- end }}

{{/* The ports of DNS, as the NetworkPolicy names them. A policy sees the port of the pod behind the Service, which is 5353 on
OpenShift. */}}
{{- define "model-training.dnsPorts" -}}
- port: 53
  protocol: UDP
- port: 53
  protocol: TCP
- port: 5353
  protocol: UDP
- port: 5353
  protocol: TCP
{{- end }}

{{/* The pod */}}

{{/* The first fields of the pod's spec. */}}
{{- define "model-training.podIdentity" -}}
serviceAccountName: {{ include "model-training.serviceAccountName" . | quote }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
enableServiceLinks: false
{{- include "model-training.pullSecrets" . }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The pull secrets. Charts have those of global as names or as objects with a name. */}}
{{- define "model-training.pullSecrets" -}}
{{- $names := list }}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
{{- if kindIs "map" . }}
{{- $names = append $names .name }}
{{- else }}
{{- $names = append $names . }}
{{- end }}
{{- end }}
{{- with $names }}
imagePullSecrets:
  {{- range uniq . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Non-empty when OpenShift chooses the ids of a pod, as it refuses others. */}}
{{- define "model-training.idsOfOpenShift" -}}
{{- $adapt := .Values.global.compatibility.openshift.adaptSecurityContext }}
{{- if or (eq $adapt "force") (and (eq $adapt "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}true{{ end }}
{{- end }}

{{/* The security context of the pod. */}}
{{- define "model-training.podSecurityContext" -}}
{{- $context := .Values.podSecurityContext }}
{{- if include "model-training.idsOfOpenShift" . }}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}
{{- end -}}
securityContext:
  {{- toYaml $context | nindent 2 }}
{{- end }}

{{/* The security context of a container. */}}
{{- define "model-training.securityContext" -}}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{/* The container's resources, with the GPUs as a limit: for an extended resource the request follows the limit. */}}
{{- define "model-training.resources" -}}
{{- $resources := deepCopy .Values.resources }}
{{- if .Values.gpu.enabled }}
{{- $resources = mustMergeOverwrite $resources (dict "limits" (dict .Values.gpu.resourceName .Values.gpu.count)) }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{/* The nodes that the pod may run on. */}}
{{- define "model-training.nodes" -}}
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
{{- define "model-training.placement" -}}
{{- include "model-training.nodes" . }}
{{- with include "model-training.affinity" . }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "model-training.selectorLabels" . | fromYaml)) }}
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
{{- define "model-training.testLabels" -}}
{{- include "model-training.labels" . | replace (printf "component: %s" (include "model-training.component" .)) "component: test" }}
{{- end }}

{{- define "model-training.testSelectorLabels" -}}
{{- include "model-training.selectorLabels" . | replace (printf "component: %s" (include "model-training.component" .)) "component: test" }}
{{- end }}

{{/* The labels and annotations of the test's pod. The policy that prints its log is why its pod need not stay. */}}
{{- define "model-training.testMetadata" -}}
labels:
  {{- merge (include "model-training.testLabels" . | fromYaml) .Values.helmTest.labels .Values.podLabels | toYaml | nindent 2 }}
annotations:
  helm.sh/hook: test
  helm.sh/hook-delete-policy: {{ .Values.helmTest.deletePolicy | quote }}
  helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
  {{- with merge dict .Values.helmTest.annotations .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "model-training.testPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "model-training.pullSecrets" . }}
{{ include "model-training.podSecurityContext" . }}
{{- end }}

{{- define "model-training.testContainer" -}}
resources:
  {{- toYaml .Values.helmTest.resources | nindent 2 }}
{{ include "model-training.securityContext" . }}
{{- end }}
