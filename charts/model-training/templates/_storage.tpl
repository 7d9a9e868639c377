{{/* Fails for changes of volumes that exist and that Kubernetes refuses, before anything is applied. */}}

{{- define "model-training.requireStorage" -}}
{{- $namespace := .Release.Namespace }}
{{- $name := include "model-training.fullname" . }}
{{- include "model-training.requireName" . }}
{{- if eq .Values.workload.kind "StatefulSet" }}
{{- with lookup "apps/v1" "StatefulSet" $namespace $name }}
{{- include "model-training.requireSelector" (dict "root" $ "object" .) }}
{{- $old := (first .spec.volumeClaimTemplates).spec }}
{{- $new := $.Values.workspace }}
{{- $class := default "" $new.storageClassName }}
{{- /* The API server writes 1024Mi as 1Gi. */}}
{{- $size := eq (include "model-training.quantity" $old.resources.requests.storage) (include "model-training.quantity" $new.size) }}
{{- $same := and $size (eq (first $old.accessModes) $new.accessMode) }}
{{- if not (and $same (eq (hasKey $old "storageClassName" | ternary (default "-" $old.storageClassName) "") $class)) }}
{{- fail (printf "workspace.size, accessMode or storageClassName differs from the StatefulSet %s, and Kubernetes changes no volumes of one: to grow them, see Growing volumes in the chart's README; else set fullnameOverride to another name, which makes new ones." $name) }}
{{- end }}
{{- end }}
{{- else if not .Values.workspace.existingClaim }}
{{- include "model-training.requireClaim" (dict "key" "workspace" "values" .Values.workspace "claim" (lookup "v1" "PersistentVolumeClaim" $namespace (include "model-training.workspaceClaim" .))) }}
{{- end }}
{{- if not (or .Values.publish.existingClaim .Values.publish.url) }}
{{- include "model-training.requireClaim" (dict "key" "publish" "values" .Values.publish "claim" (lookup "v1" "PersistentVolumeClaim" $namespace (include "model-training.modelsClaim" .))) }}
{{- end }}
{{- end }}

{{/* Fails where the claims of the release have the name that an older version of the chart gave them, without a hash or an alias:
under another name Helm would delete them, with the checkpoints. */}}
{{- define "model-training.requireName" -}}
{{- $short := default .Chart.Name .Values.nameOverride }}
{{- $old := contains $short .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $short) | trunc 45 | trimSuffix "-" }}
{{- if and (ne $old (include "model-training.fullname" .)) (not .Values.fullnameOverride) }}
{{- range $claim := list (printf "%s-workspace" $old) (printf "workspace-%s-0" $old) (printf "%s-models" $old) }}
{{- with lookup "v1" "PersistentVolumeClaim" $.Release.Namespace $claim }}
{{- if eq (dig "labels" "app.kubernetes.io/instance" "" .metadata) $.Release.Name }}
{{- fail (printf "the PersistentVolumeClaim %s has the name that an older version of the chart gave it, and this one would make another: set fullnameOverride to %s to keep it, or delete it." $claim $old) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes key, values (its section) and claim, which is empty for none. */}}
{{- define "model-training.requireClaim" -}}
{{- with .claim }}
{{- $fix := printf "copy what is in it to a claim with these settings, and set %s.existingClaim to that" $.key }}
{{- if not (has $.values.accessMode .spec.accessModes) }}
{{- fail (printf "%s.accessMode is %s, and the PersistentVolumeClaim %s has %s, which Kubernetes doesn't change: %s." $.key $.values.accessMode .metadata.name (join " " .spec.accessModes) $fix) }}
{{- end }}
{{- $class := default "" $.values.storageClassName }}
{{- if and $class (ne (trimAll "-" $class) (default "" .spec.storageClassName)) }}
{{- fail (printf "%s.storageClassName is %s, and the PersistentVolumeClaim %s has %q, which Kubernetes doesn't change: %s." $.key $class .metadata.name (default "" .spec.storageClassName) $fix) }}
{{- end }}
{{- $has := .spec.resources.requests.storage }}
{{- if lt (include "model-training.quantity" $.values.size | float64) (include "model-training.quantity" $has | float64) }}
{{- fail (printf "%s.size is %s, and the PersistentVolumeClaim %s has %s already: a volume only grows, so set at least that." $.key $.values.size .metadata.name $has) }}
{{- end }}
{{- end }}
{{- end }}
