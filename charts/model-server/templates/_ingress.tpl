{{/* The Ingress: its checks, and its address for NOTES.txt. Each takes .Values.ingress. */}}

{{/* Fails for hosts that contradict each other. */}}
{{- define "model-server.requireIngress" -}}
{{- $hosts := list }}
{{- $rules := list }}
{{- range .hosts }}
{{- $host := default "" .host }}
{{- $hosts = append $hosts $host }}
{{- range default (list dict) .paths }}
{{- $rule := printf "host %q and path %s" $host (default "/" .path) }}
{{- if has $rule $rules }}
{{- fail (printf "ingress.hosts has the %s twice: keep one." $rule) }}
{{- end }}
{{- $rules = append $rules $rule }}
{{- end }}
{{- end }}
{{- range .tls }}
{{- range $name := .hosts }}
{{- $found := false }}
{{- range $host := $hosts }}
{{- $found = or $found (include "model-server.certifies" (list $name $host)) }}
{{- end }}
{{- if not $found }}
{{- fail (printf "ingress.tls has the host %s, which ingress.hosts lacks: add it there, or remove it." $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Non-empty when a certificate's name, which may begin with "*.", is that of a host. Takes both in a list. */}}
{{- define "model-server.certifies" -}}
{{- $name := first . }}
{{- $host := last . }}
{{- if or (eq $name $host) (and (hasPrefix "*." $name) (eq (trimPrefix "*" $name) (regexReplaceAll "^[^.]+" $host ""))) }}true{{ end }}
{{- end }}

{{/* The scheme and host of the first host, with $ADDRESS for any host and "model" for a wildcard. */}}
{{- define "model-server.ingressHost" -}}
{{- $host := default "" (first .hosts).host }}
{{- $scheme := "http" }}
{{- range .tls }}
{{- range default (list $host) .hosts }}
{{- if include "model-server.certifies" (list . $host) }}
{{- $scheme = "https" }}
{{- end }}
{{- end }}
{{- end }}
{{- printf "%s://%s" $scheme (default "$ADDRESS" $host | replace "*" "model") }}
{{- end }}

{{/* What comes before /predict or /v1 in the address: the first path, unless a path of the host leads there itself. A path that is a
regular expression is cut. */}}
{{- define "model-server.ingressPath" -}}
{{- $paths := default (list dict) (first .hosts).paths }}
{{- $prefix := regexReplaceAll "[(|*?$\\[].*" (default "/" (first $paths).path) "" | trimSuffix "/" }}
{{- range $paths }}
{{- if has (default "/" .path | trimSuffix "/") (list "" "/predict" "/v1" "/v1/models" "/v2" "/v2/models") }}
{{- $prefix = "" }}
{{- end }}
{{- end }}
{{- $prefix }}
{{- end }}
