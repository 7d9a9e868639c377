{{/* The Secret of API keys. */}}

{{/* The file that the server reads, and each key in an entry of its own for clients such as `helm test`; empty for none.
The file's name has a dot, which no holder's name may have, so the two never collide. */}}
{{- define "model-server.authData" -}}
{{- if not .Values.auth.existingSecret }}
{{- with .Values.auth.keys }}
{{- $lines := list }}
{{- range $name, $key := . }}
{{- $lines = append $lines (printf "%s=%s\n" $name $key) }}
{{- end }}
keys.txt: {{ join "" $lines | b64enc | quote }}
{{- range $name, $key := . }}
{{ $name | quote }}: {{ b64enc $key | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The entry with the key that `helm test` sends. */}}
{{- define "model-server.testKeyEntry" -}}
{{- .Values.auth.existingSecret | empty | ternary (keys .Values.auth.keys | sortAlpha | first) .Values.helmTest.apiKeyEntry }}
{{- end }}
