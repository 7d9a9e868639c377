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

{{/* The hyperparameters of a run as YAML. */}}
{{- define "model-training.hyperparameters" -}}
{{- range $name, $value := . }}
{{ toYaml (dict $name 0) | trimSuffix "0" }}{{ include "model-training.flow" (dict "name" $name "value" $value) }}
{{- end }}
{{- end }}

{{/* A value in YAML's flow style, which is JSON but for its numbers: readers of YAML 1.1 such as PyYAML take 1e-08, without a dot, for
text. Takes name, of the hyperparameter, and value. */}}
{{- define "model-training.flow" -}}
{{- if kindIs "map" .value }}
{{- $entries := list }}
{{- range $key, $value := .value }}
{{- $entries = append $entries (printf "%s: %s" (toRawJson $key) (include "model-training.flow" (dict "name" $.name "value" $value))) }}
{{- end }}
{{- printf "{%s}" (join ", " $entries) }}
{{- else if kindIs "slice" .value }}
{{- $entries := list }}
{{- range .value }}
{{- $entries = append $entries (include "model-training.flow" (dict "name" $.name "value" .)) }}
{{- end }}
{{- printf "[%s]" (join ", " $entries) }}
{{- else if kindIs "string" .value }}
{{- toRawJson .value }}
{{- else }}
{{- $number := toJson .value }}
{{- if regexMatch "^-?[0-9]{16,}$" $number }}
{{- if or (ge .value 9007199254740992.0) (le .value -9007199254740992.0) }}
{{- fail (printf "hyperparameters.%s is about %s: Helm rounds whole numbers beyond 9007199254740991, so write it as text in quotes." .name $number) }}
{{- end }}
{{- end }}
{{- regexReplaceAll "^(-?[0-9]+)e" $number "${1}.0e" }}
{{- end }}
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

{{/* Non-empty when the program is the user's own, which leaves no mark of its own that a run has ended. */}}
{{- define "model-training.runsOnce" -}}
{{- if and .Values.command .Values.runOnce }}true{{ end }}
{{- end }}

{{- define "model-training.sweep" -}}
{{- printf "%s%s" (include "model-training.identity" .) (include "model-training.trials" .) | sha256sum | trunc 8 }}
{{- end }}

{{/* Processes of a worker: one for each GPU. */}}
{{- define "model-training.processes" -}}
{{- .Values.gpu.enabled | ternary .Values.gpu.count 1 | int64 }}
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
  value: {{ include "model-training.run" . | quote }}
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
{{- /* The user's number may be in no /etc/passwd, where PyTorch looks for its name. */}}
{{- $set := list }}
{{- range .root.Values.extraEnv }}
{{- $set = append $set .name }}
{{- end }}
{{- if not (has "USER" $set) }}
- name: USER
  value: slipway
{{- end }}
{{- end }}
