{{/* A copy of charts/_requirements.tpl. Change that file and run make generate. */}}
{{/*
What values may not say in any chart: each template fails with the names of the values and the fix, and renders nothing.
Like _common.tpl, `make generate` copies this file into templates/ of each chart.
*/}}

{{/* Fails for values that contradict each other in any chart, and renders nothing. Takes root and what the chart has itself:
volumes and containers, with their names; mounts, the container's; labels, those of some pods; ports, by number the value that
gives it. */}}
{{- define "model-training.requirements" -}}
{{- $v := .root.Values }}
{{- include "model-training.requireNames" .root }}
{{- include "model-training.requireEnv" $v }}
{{- include "model-training.requireVolumes" . }}
{{- include "model-training.requireContainers" . }}
{{- include "model-training.requireLabels" . }}
{{- include "model-training.requireResources" (dict "key" "resources" "resources" $v.resources) }}
{{- include "model-training.requireResources" (dict "key" "helmTest.resources" "resources" $v.helmTest.resources) }}
{{- include "model-training.requireSpread" $v.topologySpreadConstraints }}
{{- include "model-training.requireText" .root }}
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

{{- define "model-training.requireNames" -}}
{{- with .Values.fullnameOverride }}
{{- if ne . (include "model-training.fullname" $) }}
{{- fail (printf "fullnameOverride %q is no name that every object may have: use lower-case letters, digits and hyphens, a letter first, at most %s characters." . (include "model-training.nameLength" $)) }}
{{- end }}
{{- end }}
{{- if and .Values.image.digest (contains "@" .Values.image.tag) }}
{{- fail "image.tag has a digest, and image.digest is set: keep one of them." }}
{{- end }}
{{- end }}

{{/* A server-side apply refuses a list with one name twice, in an error that does not name the value. */}}
{{- define "model-training.requireEnv" -}}
{{- if and .credentials.env .credentials.existingSecret }}
{{- fail "credentials.env and credentials.existingSecret are both set: keep one of them, and give further Secrets through extraEnvFrom." }}
{{- end }}
{{- $seen := list }}
{{- range .extraEnv }}
{{- if has .name $seen }}
{{- fail (printf "extraEnv has %s twice: keep one." .name) }}
{{- end }}
{{- if hasKey $.credentials.env .name }}
{{- fail (printf "extraEnv and credentials.env both have %s: keep one." .name) }}
{{- end }}
{{- $seen = append $seen .name }}
{{- end }}
{{- end }}

{{- define "model-training.requireVolumes" -}}
{{- $volumes := list }}
{{- range .root.Values.extraVolumes }}
{{- if has .name $.volumes }}
{{- fail (printf "extraVolumes has %s, which is a volume of the chart's: give it another name." .name) }}
{{- end }}
{{- if has .name $volumes }}
{{- fail (printf "extraVolumes has %s twice: keep one." .name) }}
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- $paths := list }}
{{- range .mounts }}
{{- if has (trimSuffix "/" .mountPath) $paths }}
{{- fail (printf "extraVolumeMounts mounts at %s, where there is a mount already: use another path." .mountPath) }}
{{- end }}
{{- $paths = append $paths (trimSuffix "/" .mountPath) }}
{{- if not (has .name (concat $.volumes $volumes)) }}
{{- fail (printf "extraVolumeMounts mounts the volume %s, which the pod lacks: add it to extraVolumes." .name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "model-training.requireContainers" -}}
{{- $names := list }}
{{- range concat .root.Values.extraContainers .root.Values.extraInitContainers }}
{{- if has .name $.containers }}
{{- fail (printf "extraContainers or extraInitContainers has a container %s, which is the chart's: give it another name." .name) }}
{{- end }}
{{- if has .name $names }}
{{- fail (printf "extraContainers and extraInitContainers have %s twice: give one another name." .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- $name := .name }}
{{- range .ports }}
{{- with get $.ports (toString (int64 .containerPort)) }}
{{- fail (printf "the container %s of extraContainers or extraInitContainers has the port %s, on which the chart's own listens: give it another port." $name .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "model-training.requireLabels" -}}
{{- $reserved := concat .labels (include "model-training.ownLabels" .root | fromYaml | keys) }}
{{- $v := .root.Values }}
{{- range $where, $labels := dict "commonLabels" $v.commonLabels "podLabels" $v.podLabels "helmTest.labels" $v.helmTest.labels }}
{{- range $label, $_ := $labels }}
{{- if has $label $reserved }}
{{- fail (printf "%s has %s, which the chart sets: remove it; names change through nameOverride." $where $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $annotation, $_ := $v.helmTest.annotations }}
{{- if hasPrefix "helm.sh/hook" $annotation }}
{{- fail (printf "helmTest.annotations has %s, which the chart sets: remove it; helmTest.deletePolicy says when the pod is deleted." $annotation) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes key, resources and, where another value sets some limits, its name as limits. */}}
{{- define "model-training.requireResources" -}}
{{- range $name, $request := .resources.requests }}
{{- $limit := get (default dict $.resources.limits) $name }}
{{- if and $limit (gt (include "model-training.quantity" $request | float64) (include "model-training.quantity" $limit | float64)) }}
{{- fail (printf "%s.requests.%s is %v, more than the %v of %s: lower the request, or raise the limit." $.key $name $request $limit (default (printf "%s.limits.%s" $.key $name) $.limits)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The number that a quantity such as 1536Mi or 100m stands for. */}}
{{- define "model-training.quantity" -}}
{{- $units := dict "" 1.0 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 }}
{{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" (toString .) }}
{{- mulf (float64 $number) (get $units (trimPrefix $number (toString .)) | default 1.0) }}
{{- end }}

{{- define "model-training.requireSpread" -}}
{{- $seen := list }}
{{- range . }}
{{- $pair := printf "topologyKey %v and whenUnsatisfiable %v" .topologyKey .whenUnsatisfiable }}
{{- if has $pair $seen }}
{{- fail (printf "topologySpreadConstraints has %s twice: keep one." $pair) }}
{{- end }}
{{- $seen = append $seen $pair }}
{{- end }}
{{- end }}

{{/* Braces that mean something else than they seem to. */}}
{{- define "model-training.requireText" -}}
{{- range $number, $object := .Values.extraObjects }}
{{- if kindIs "string" $object }}
{{- with regexFind `\{\{-?\s*\$(labels|value|values|externalLabels)\b[^}]*}}` $object }}
{{- fail (printf "extraObjects[%d] is text, in which the chart renders templates, and it has %s: write it as YAML and not as text, or write {{`%s`}}." $number . .) }}
{{- end }}
{{- else }}
{{- with regexFind `\{\{-?\s*(include [\\"]*model-training\.|\.Release\.|\.Chart\.)[^}]*}}` (toYaml $object) }}
{{- fail (printf "extraObjects[%d] is YAML, which the chart installs as it is, and it has the template %s: write it as text, with | before it." $number .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Fails when the object exists and has another selector, before anything is applied. Takes root and object. */}}
{{- define "model-training.requireSelector" -}}
{{- with .object }}
{{- $selector := include "model-training.selectorLabels" $.root | fromYaml }}
{{- if ne (toJson .spec.selector.matchLabels) (toJson $selector) }}
{{- fail (printf "the %s %s selects the pods %s, and Kubernetes takes no other selector, such as this chart's %s: set fullnameOverride to another name than %s, and Helm makes new objects and deletes the old ones." .kind .metadata.name (toJson .spec.selector.matchLabels) (toJson $selector) .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}
