{{/* The values of values.yaml. Change that file and run make generate. */}}
{{- define "model-server.defaults" -}}
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
  repository: slipway-server
  tag: ""
  digest: ""
  pullPolicy: IfNotPresent
  gpu: false
imagePullSecrets: []
replicaCount: 1
updateStrategy: {}
models:
  persistentVolumeClaim:
    existingClaim: ""
    subPath: ""
  ociImage:
    reference: ""
    pullPolicy: IfNotPresent
  configMap:
    name: ""
    items: {}
  fetch:
    source: ""
    sha256: ""
    model: ""
    version:
    extraArgs: []
    sizeLimit: 10Gi
config:
  models: /models
  defaultModel: ""
  http:
    maxBodyBytes: 67108864
    trustedProxies: []
    idleTimeout: 620s
    cors:
      allowedOrigins: []
      allowedMethods: []
      allowedHeaders: []
  grpc:
    maxMessageBytes: 67108864
  memory:
    budget: 0
    maxResponseBytes: 268435456
  repository:
    control: poll
    required: []
    pollInterval: 5s
    loadTimeout: 7m
  trial:
    enabled: true
    memory: 0
  tracing:
    endpoint: ""
    sampleRatio: 1
  log:
    level: info
  shutdown:
    delay: 5s
    gracePeriod: 25s
  onnxruntime:
    intraOpThreads: 0
auth:
  keys: {}
  existingSecret: ""
  existingSecretKey: keys.txt
credentials:
  env: {}
  existingSecret: ""
service:
  type: ClusterIP
  port: 80
  nodePort:
  grpcNodePort:
  grpcPort: 8081
  adminPort: 9090
  annotations: {}
  loadBalancerClass: ""
  loadBalancerIP: ""
  loadBalancerSourceRanges: []
  allocateLoadBalancerNodePorts:
  externalTrafficPolicy: ""
  internalTrafficPolicy: ""
  sessionAffinity: ""
  externalIPs: []
  ipFamilyPolicy: ""
  ipFamilies: []
networkPolicy:
  enabled: true
  from: []
  adminFrom: []
  extraIngress: []
  extraEgress: []
ingress:
  enabled: false
  className: ""
  annotations: {}
  hosts: []
  tls: []
autoscaling:
  enabled: false
  minReplicas: 1
  maxReplicas: 5
  targetCPUUtilizationPercentage: 80
  targetMemoryUtilizationPercentage:
  metrics: []
  behavior: {}
podDisruptionBudget:
  enabled: false
  maxUnavailable: 1
resources:
  requests:
    cpu: 100m
    memory: 256Mi
    ephemeral-storage: 64Mi
  limits:
    cpu: "1"
    memory: 1Gi
    ephemeral-storage: 1Gi
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
startupProbe:
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 450
readinessProbe:
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
terminationGracePeriodSeconds:
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
  model: ""
  body: ""
  apiKeyEntry: ""
  labels: {}
  annotations: {}
  deletePolicy: before-hook-creation,hook-succeeded
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
