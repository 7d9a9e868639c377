{{/* The runs of a release, and what distinguishes them. */}}

{{/* The hyperparameters of each run as a JSON array: one entry, or one for each combination of the sweep. */}}
{{- define "model-training.trials" -}}
{{- $trials := list (default dict .Values.hyperparameters) }}
{{- range $name := keys .Values.sweep.matrix | sortAlpha }}
{{- $longer := list }}
{{- range $trial := $trials }}
{{- range $value := get $.Values.sweep.matrix $name }}
{{- /* Not merge, which skips 0 and false as empty. */}}
{{- $longer = append $longer (set (deepCopy $trial) $name $value) }}
{{- end }}
{{- end }}
{{- $trials = $longer }}
{{- end }}
{{- toJson $trials }}
{{- end }}

{{/* The values that make another run. The number of workers and their nodes are not among them: with other workers a run
resumes from its checkpoint. */}}
{{- define "model-training.identity" -}}
{{- $publish := pick .Values.publish "model" "url" "existingClaim" "subPath" }}
{{- toJson (list (include "model-training.image" .) .Values.command .Values.args .Values.extraEnv $publish .Values.rerun) }}
{{- end }}

{{/* The run of some hyperparameters. Takes root and hyperparameters. */}}
{{- define "model-training.run" -}}
{{- $hash := printf "%s%s" (include "model-training.identity" .root) (toJson .hyperparameters) | sha256sum | trunc 8 }}
{{- printf "%s-%s" (include "model-training.fullname" .root) $hash }}
{{- end }}

{{- define "model-training.sweep" -}}
{{- printf "%s%s" (include "model-training.identity" .) (include "model-training.trials" .) | sha256sum | trunc 8 }}
{{- end }}

{{/* Processes of a worker: one for each GPU. */}}
{{- define "model-training.processes" -}}
{{- .Values.gpu.enabled | ternary .Values.gpu.count 1 }}
{{- end }}

{{/* Threads of a process: its share of the CPU limit, at least one. */}}
{{- define "model-training.threads" -}}
{{- $cpu := dig "limits" "cpu" "1" (default dict .Values.resources) | toString }}
{{- $cores := hasSuffix "m" $cpu | ternary (divf (trimSuffix "m" $cpu | float64) 1000) (float64 (trimSuffix "m" $cpu)) }}
{{- max 1 (div (ceil $cores | int) (include "model-training.processes" . | int)) }}
{{- end }}

{{/* The variables that name the run and its folders; the test's pod has them too. Takes root, hyperparameters, and trial in
a sweep. */}}
{{- define "model-training.runEnvironment" -}}
- name: SLIPWAY_EXPERIMENT
  value: {{ .root.Release.Name | quote }}
- name: SLIPWAY_RUN
  value: {{ include "model-training.run" . }}
- name: SLIPWAY_WORKLOAD
  value: {{ .root.Values.workload.kind }}
- name: SLIPWAY_WORKSPACE
  value: /workspace
- name: SLIPWAY_MODEL
  value: {{ .root.Values.publish.model | quote }}
- name: SLIPWAY_PUBLISH
  value: {{ default "/models" .root.Values.publish.url | quote }}
{{- if hasKey . "trial" }}
- name: SLIPWAY_SWEEP
  value: {{ include "model-training.sweep" .root | quote }}
- name: SLIPWAY_TRIAL
  value: {{ .trial | quote }}
- name: SLIPWAY_TRIALS
  value: {{ include "model-training.trials" .root | fromJsonArray | len | quote }}
{{- end }}
- name: HOME
  value: /tmp
- name: USER # PyTorch asks for it, and a cluster may give the pod a user that /etc/passwd does not have
  value: slipway
{{- end }}
