{{/* Fails for changes of volumes that exist and that Kubernetes refuses, before anything is applied. */}}

{{- define "model-training.requireStorage" -}}
{{- $namespace := .Release.Namespace }}
{{- $name := include "model-training.fullname" . }}
{{- if eq .Values.workload.kind "StatefulSet" }}
{{- with lookup "apps/v1" "StatefulSet" $namespace $name }}
{{- include "model-training.requireSelector" (dict "root" $ "object" .) }}
{{- $old := (first .spec.volumeClaimTemplates).spec }}
{{- $new := $.Values.workspace }}
{{- $class := default "" $new.storageClassName }}
{{- $same := and (eq (toString $old.resources.requests.storage) $new.size) (eq (first $old.accessModes) $new.accessMode) }}
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
