{{/* What the chart's Secrets hold, here because the Deployment takes its checksum. Each is empty when there is none. */}}

{{/* API keys: the file that the server reads, and each key by itself for clients such as `helm test`. The dot in the
file's name, which no holder's may have, keeps them apart. */}}
{{- define "model-server.authData" -}}
{{- if not .Values.auth.existingSecret }}
{{- with .Values.auth.keys }}
{{- $lines := list }}
{{- range $name, $key := . }}
{{- $lines = append $lines (printf "%s=%s\n" $name $key) }}
{{- end }}
keys.txt: {{ join "" $lines | b64enc }}
{{- range $name, $key := . }}
{{ $name }}: {{ b64enc $key }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "model-server.credentialsData" -}}
{{- if not .Values.credentials.existingSecret }}
{{- range $name, $value := .Values.credentials.env }}
{{ $name }}: {{ b64enc $value }}
{{- end }}
{{- end }}
{{- end }}

{{/* The entry with the key that `helm test` shows. */}}
{{- define "model-server.testKeyEntry" -}}
{{- .Values.auth.existingSecret | empty | ternary (keys .Values.auth.keys | sortAlpha | first) .Values.helmTest.apiKeyEntry }}
{{- end }}
