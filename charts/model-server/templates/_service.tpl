{{/* The fields of the Services that few releases set. */}}

{{/* Fields that Kubernetes takes as they are, under the names that they have there. Those of load balancers are refused for another
type in requirements.yaml. */}}
{{- define "model-server.serviceOptions" -}}
{{- $options := dict }}
{{- range $key := list "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" "externalTrafficPolicy" "internalTrafficPolicy" "sessionAffinity" "externalIPs" }}
{{- with get $.Values.service $key }}
{{- $_ := set $options $key . }}
{{- end }}
{{- end }}
{{- if not (kindIs "invalid" .Values.service.allocateLoadBalancerNodePorts) }}
{{- $_ := set $options "allocateLoadBalancerNodePorts" .Values.service.allocateLoadBalancerNodePorts }}
{{- end }}
{{- with $options }}
{{- toYaml . }}
{{- end }}
{{ include "model-server.ipFamilies" . }}
{{- end }}

{{/* Both Services are in the same address families. */}}
{{- define "model-server.ipFamilies" -}}
{{- with .Values.service.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.service.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Fails for values of the Service that contradict each other. Takes .Values.service. */}}
{{- define "model-server.requireService" -}}
{{- if eq (int64 .port) (int64 .grpcPort) }}
{{- fail (printf "service.port and service.grpcPort are both %d, and a Service has a port once: change one of them." (int64 .port)) }}
{{- end }}
{{- if and (not (kindIs "invalid" .nodePort)) (not (kindIs "invalid" .grpcNodePort)) }}
{{- if eq (int64 .nodePort) (int64 .grpcNodePort) }}
{{- fail (printf "service.nodePort and service.grpcNodePort are both %d, and a node has a port once: change one of them." (int64 .nodePort)) }}
{{- end }}
{{- end }}
{{- range $key := list "nodePort" "grpcNodePort" "externalTrafficPolicy" }}
{{- if and (eq $.type "ClusterIP") (index $ $key) }}
{{- fail (printf "service.%s is set, but service.type ClusterIP has none: set service.type to NodePort or LoadBalancer, or remove %s." $key $key) }}
{{- end }}
{{- end }}
{{- range $key := list "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" "allocateLoadBalancerNodePorts" }}
{{- $value := index $ $key }}
{{- if and (ne $.type "LoadBalancer") (or $value (kindIs "bool" $value)) }}
{{- fail (printf "service.%s belongs to a load balancer, and service.type is %s: set service.type to LoadBalancer, or remove %s." $key $.type $key) }}
{{- end }}
{{- end }}
{{- if and (eq (default "" .ipFamilyPolicy) "SingleStack") (gt (len .ipFamilies) 1) }}
{{- fail "service.ipFamilies has two families, and service.ipFamilyPolicy is SingleStack: remove one family, or set the policy to PreferDualStack." }}
{{- end }}
{{- end }}
