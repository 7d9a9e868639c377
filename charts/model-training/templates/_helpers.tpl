{{/* Names of only this chart. What it shares with the other charts is in _common.tpl. */}}

{{- define "model-training.component" -}}trainer{{- end }}

{{/* 63, which a host name may have, less a trial, a hash and a worker's number. */}}
{{- define "model-training.nameLength" -}}45{{- end }}

{{- define "model-training.off" -}}
- resources
- podSecurityContext
- securityContext
- logging.resources
- hyperparameters
{{- end }}
