{{/* Names and settings of only this chart. What it shares with the other charts is in _common.tpl. */}}

{{- define "model-server.component" -}}server{{- end }}

{{/* 63, which a DNS label may have, less the endings -admin and -predict. */}}
{{- define "model-server.nameLength" -}}55{{- end }}

{{- define "model-server.affinity" -}}
{{- with .Values.affinity }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* The Secret of API keys; empty when the server requires none. */}}
{{- define "model-server.authSecretName" -}}
{{- if .Values.auth.existingSecret }}
{{- .Values.auth.existingSecret }}
{{- else if .Values.auth.keys }}
{{- include "model-server.fullname" . }}-auth
{{- end }}
{{- end }}

{{/* The entry of that Secret with the file of keys. */}}
{{- define "model-server.authSecretKey" -}}
{{- .Values.auth.existingSecret | empty | ternary "keys.txt" .Values.auth.existingSecretKey }}
{{- end }}

{{/* The server's configuration: what the chart sets, and over it the user's values. */}}
{{- define "model-server.config" -}}
{{- $own := dict "http" (dict "address" ":8080") "grpc" (dict "address" ":8081") "admin" (dict "address" ":9090") "crashMarks" (dict "folder" "/var/lib/slipway") }}
{{- if include "model-server.authSecretName" . }}
{{- $_ := set $own "auth" (dict "keysFile" "/etc/slipway/auth/keys.txt") }}
{{- end }}
{{- toYaml (mustMergeOverwrite $own (deepCopy .Values.config)) }}
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

{{/* Seconds that the server itself may take to stop. */}}
{{- define "model-server.shutdownSeconds" -}}
{{- $shutdown := default dict .Values.config.shutdown }}
{{- add (include "model-server.seconds" (default "5s" $shutdown.delay)) (include "model-server.seconds" (default "25s" $shutdown.gracePeriod)) }}
{{- end }}

{{- define "model-server.off" -}}
- resources
- podSecurityContext
- securityContext
- startupProbe
- readinessProbe
- livenessProbe
- autoscaling.targetCPUUtilizationPercentage
{{- end }}
