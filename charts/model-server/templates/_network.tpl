{{/* Peers and ports of the NetworkPolicy. */}}

{{/* The pod of `helm test`, as a peer; empty when there is none. */}}
{{- define "model-server.testPeer" -}}
{{- if .Values.helmTest.enabled -}}
- podSelector:
    matchLabels:
      {{- include "model-server.testSelectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* The ports that the pods connect to, besides DNS, as a JSON list. Port numbers and no addresses: the names of receivers and
stores have addresses that change. */}}
{{- define "model-server.egressPorts" -}}
{{- $ports := list }}
{{- with dig "tracing" "endpoint" "" .Values.config }}
{{- $ports = append $ports (include "model-server.port" . | default "443" | int) }}
{{- end }}
{{- with .Values.models.fetch.source }}
{{- if not (hasPrefix "file:" .) }}
{{- $ports = concat $ports (list 443 80) }}
{{- with include "model-server.port" . }}
{{- $ports = append $ports (int .) }}
{{- end }}
{{- end }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{/* The port that a URL names, itself or, for an s3 store, in its endpoint; empty for none. */}}
{{- define "model-server.port" -}}
{{- $pattern := `^(?:[a-z0-9]+://[^/?]*|.*[?&]endpoint=[^&]*)(?::|%3A|%3a)([0-9]+)(?:(?:[/?&]|%2F|%2f).*)?$` }}
{{- if regexMatch $pattern . }}
{{- regexReplaceAll $pattern . "${1}" }}
{{- end }}
{{- end }}
