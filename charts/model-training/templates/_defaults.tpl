{{/* The values of values.yaml. Change that file and run make generate. */}}
{{- define "model-training.defaults" -}}
enabled:
global:
  imageRegistry: ""
  imagePullSecrets: []
  compatibility:
    openshift:
      adaptSecurityContext: auto
nameOverride: ""
fullnameOverride: ""
commonLabels: {}
image:
  repository: slipway-trainer
  tag: ""
  digest: ""
  pullPolicy: IfNotPresent
imagePullSecrets: []
workload:
  kind: Job
  backoffLimit: 6
  activeDeadlineSeconds:
  ttlSecondsAfterFinished:
  annotations: {}
workers: 2
command: []
args: []
runOnce: true
hyperparameters:
  epochs: 40
  batchSize: 64
  learningRate: 0.05
  momentum: 0.9
  hidden: 128
  seed: 1
  checkpointSteps: 50
  minAccuracy: 0.96
sweep:
  matrix: {}
rerun: ""
rendezvous:
  port: 29500
  timeoutSeconds: 300
clusterDomain: cluster.local
workspace:
  existingClaim: ""
  subPath: ""
  size: 1Gi
  storageClassName: ""
  accessMode: ReadWriteOnce
  keep: false
  retention:
    whenDeleted: Delete
    whenScaled: Retain
data:
  existingClaim: ""
  subPath: ""
publish:
  model: digits
  existingClaim: ""
  subPath: ""
  url: ""
  size: 1Gi
  storageClassName: ""
  accessMode: ReadWriteOnce
  keep: true
credentials:
  env: {}
  existingSecret: ""
resources:
  requests:
    cpu: 500m
    memory: 512Mi
    ephemeral-storage: 256Mi
  limits:
    cpu: "1"
    memory: 2Gi
    ephemeral-storage: 2Gi
gpu:
  enabled: false
  resourceName: nvidia.com/gpu
  count: 1
  runtimeClassName: ""
  nodeSelector: {}
  tolerations:
    - key: nvidia.com/gpu
      operator: Exists
      effect: NoSchedule
tmp:
  sizeLimit: 1Gi
shm:
  sizeLimit: 256Mi
terminationGracePeriodSeconds: 60
networkPolicy:
  enabled: true
  extraIngress: []
  extraEgress: []
kueue:
  queueName: ""
gangScheduling:
  schedulerName: ""
  podGroup: ""
logging:
  enabled: false
  image: ""
  command: [sh, -c]
  args: ['tail -n +1 -F /var/log/slipway/training.jsonl & trap "kill $!" TERM; wait']
  sizeLimit: 256Mi
  resources:
    requests:
      cpu: 10m
      memory: 16Mi
      ephemeral-storage: 16Mi
    limits:
      cpu: 100m
      memory: 64Mi
      ephemeral-storage: 256Mi
serviceAccount:
  create: true
  automount: false
  name: ""
  annotations: {}
podSecurityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
podAnnotations: {}
podLabels: {}
nodeSelector: {}
tolerations: []
affinity: {}
topologySpreadConstraints: []
priorityClassName: ""
extraEnv: []
extraEnvFrom: []
extraVolumes: []
extraVolumeMounts: []
extraInitContainers: []
extraContainers: []
extraObjects: []
helmTest:
  enabled: true
  timeoutSeconds: 150
  labels: {}
  annotations: {}
  deletePolicy: before-hook-creation,hook-succeeded,hook-failed
  resources:
    requests:
      cpu: 10m
      memory: 64Mi
      ephemeral-storage: 16Mi
    limits:
      cpu: 500m
      memory: 256Mi
      ephemeral-storage: 64Mi
{{- end }}
