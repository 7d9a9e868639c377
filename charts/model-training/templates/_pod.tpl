{{/* The worker's pod. Its templates take root, workload (the name of the Job or StatefulSet), hyperparameters, and trial in a
sweep; those that take less take the root context. */}}

{{- define "model-training.workerLabels" -}}
{{- $labels := include "model-training.podLabels" .root | fromYaml }}
{{- if hasKey . "trial" }}
{{- $_ := set $labels "slipway.dev/trial" (toString .trial) }}
{{- end }}
{{- with .root.Values.gangScheduling.podGroup }}
{{- $_ := set $labels "scheduling.x-k8s.io/pod-group" . }}
{{- end }}
{{- toYaml $labels }}
{{- end }}

{{- define "model-training.environment" -}}
{{- $v := .root.Values }}
{{- $processes := include "model-training.processes" .root }}
{{- $master := printf "%s-0.%s.%s.svc.%s" .workload (include "model-training.fullname" .root) .root.Release.Namespace $v.clusterDomain }}
{{- $run := include "model-training.run" . }}
env:
  - name: PET_NNODES
    value: {{ int64 $v.workers | quote }}
  - name: PET_NPROC_PER_NODE
    value: {{ $processes | quote }}
  - name: PET_NODE_RANK
    valueFrom:
      fieldRef:
        {{- if eq $v.workload.kind "Job" }}
        fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
        {{- else }}
        fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
        {{- end }}
  {{- range $name := list "PET_MASTER_ADDR" "MASTER_ADDR" }}
  - name: {{ $name }}
    value: {{ $master | quote }}
  {{- end }}
  {{- range $name := list "PET_MASTER_PORT" "MASTER_PORT" }}
  - name: {{ $name }}
    value: {{ int64 $v.rendezvous.port | quote }}
  {{- end }}
  {{- /* Workers of another scale never join this rendezvous. */}}
  - name: PET_RDZV_ID
    value: {{ printf "%s-%d" $run (int64 $v.workers) | quote }}
  - name: PET_RDZV_CONF
    value: timeout={{ int64 $v.rendezvous.timeoutSeconds }}
  - name: OMP_NUM_THREADS
    value: {{ include "model-training.threads" .root | quote }}
  {{- include "model-training.runEnvironment" . | nindent 2 }}
  - name: SLIPWAY_HYPERPARAMETERS
    value: /etc/slipway/training/hyperparameters.yaml
  - name: SLIPWAY_RENDEZVOUS_TIMEOUT
    value: {{ int64 $v.rendezvous.timeoutSeconds | quote }}
  {{- if $v.logging.enabled }}
  - name: SLIPWAY_LOG
    value: /var/log/slipway/training.jsonl
  {{- end }}
  {{- with $v.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- include "model-training.envFrom" .root }}
{{- end }}

{{/* The user's affinity, and one node for all workers when they share a volume that only one node can mount. */}}
{{- define "model-training.affinity" -}}
{{- $affinity := deepCopy .Values.affinity }}
{{- if include "model-training.oneNode" . }}
{{- $oneNode := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "model-training.selectorLabels" . | fromYaml)) }}
{{- $pods := default dict $affinity.podAffinity }}
{{- $terms := append (default list $pods.requiredDuringSchedulingIgnoredDuringExecution) $oneNode }}
{{- $affinity = merge (dict "podAffinity" (merge (dict "requiredDuringSchedulingIgnoredDuringExecution" $terms) $pods)) $affinity }}
{{- end }}
{{- with $affinity }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* A native sidecar, which the kubelet stops after the trainer, so that the Job completes. */}}
{{- define "model-training.logging" -}}
- name: logging
  image: {{ .Values.logging.image | empty | ternary (include "model-training.image" .) (include "model-training.inRegistry" (dict "root" . "image" .Values.logging.image)) | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  {{- with .Values.logging.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.logging.args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml .Values.logging.resources | nindent 4 }}
  {{- include "model-training.securityContext" . | nindent 2 }}
  volumeMounts:
    - name: log
      mountPath: /var/log/slipway
      readOnly: true
{{- end }}

{{- define "model-training.podTemplate" -}}
{{- $root := .root }}
{{- $v := .root.Values }}
metadata:
  labels:
    {{- include "model-training.workerLabels" . | nindent 4 }}
  {{- /* Of the variables' names only: from a checksum of their values, who may read pods but no Secrets could guess a short
  one. A pod that starts reads the new values in any case. */}}
  {{- $credentials := keys $v.credentials.env | sortAlpha }}
  {{- if or $credentials $v.podAnnotations }}
  annotations:
    {{- with $credentials }}
    checksum/secret: {{ join "," . | sha256sum }}
    {{- end }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- if eq $v.workload.kind "Job" }}
  restartPolicy: Never
  {{- /* A StatefulSet sets the subdomain itself. */}}
  subdomain: {{ include "model-training.fullname" $root | quote }}
  {{- end }}
  {{- include "model-training.podIdentity" $root | nindent 2 }}
  {{- with $v.gangScheduling.schedulerName }}
  schedulerName: {{ . | quote }}
  {{- end }}
  {{- if and $v.gpu.enabled $v.gpu.runtimeClassName }}
  runtimeClassName: {{ $v.gpu.runtimeClassName | quote }}
  {{- end }}
  terminationGracePeriodSeconds: {{ int64 $v.terminationGracePeriodSeconds }}
  {{- include "model-training.podSecurityContext" $root | nindent 2 }}
  {{- if or $v.logging.enabled $v.extraInitContainers }}
  initContainers:
    {{- if $v.logging.enabled }}
    {{- include "model-training.logging" $root | nindent 4 }}
    {{- end }}
    {{- with $v.extraInitContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: trainer
      image: {{ include "model-training.image" $root | quote }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      {{- with $v.command }}
      command:
        {{- if include "model-training.runsOnce" $root }}
        - sh
        - /etc/slipway/training/run-once.sh
        {{- end }}
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.args }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: rendezvous
          containerPort: {{ int64 $v.rendezvous.port }}
          protocol: TCP
      {{- include "model-training.environment" . | trim | nindent 6 }}
      resources:
        {{- include "model-training.resources" $root | nindent 8 }}
      {{- include "model-training.securityContext" $root | nindent 6 }}
      volumeMounts:
        {{- include "model-training.volumeMounts" $root | nindent 8 }}
    {{- with $v.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "model-training.volumes" . | nindent 4 }}
  {{- with include "model-training.placement" $root | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
