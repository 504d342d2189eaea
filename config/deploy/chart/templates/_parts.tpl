{{/* Labels that select a part: dict root, part, and queue of render workers. */}}
{{- define "proofsheet.selector" -}}
app.kubernetes.io/name: proofsheet
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- with .queue }}
proofsheet/queue: {{ . }}
{{- end }}
{{- end }}

{{- define "proofsheet.labels" -}}
{{ include "proofsheet.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "proofsheet.claim" -}}
{{ .Values.keys.existingClaim | default (printf "%s-keys" .Release.Name) }}
{{- end }}

{{/* One container of the house: no root, no privileges, nothing of its image to be changed. */}}
{{- define "proofsheet.container" -}}
image: {{ required (printf "images.%s is not set: build it from the Containerfile and push it." .image) (index .root.Values.images .image) }}
imagePullPolicy: {{ .root.Values.images.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - configMapRef: {name: {{ .root.Release.Name }}-settings}
  - secretRef: {name: {{ .root.Values.secret }}}
{{- end }}

{{- define "proofsheet.extraMounts" -}}
{{ with .root.Values.extraVolumeMounts }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* What all pods of the house have. The keys lie in a folder of the volume: the volume's own root
     is given to the group, and the house refuses keys that others can read. */}}
{{- define "proofsheet.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false # PROOFSHEET_… are settings
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: keys
    persistentVolumeClaim: {claimName: {{ include "proofsheet.claim" .root }}}
  - name: tmp
    emptyDir: {}
{{- with .cacheSize }}
  - name: adapters
    emptyDir: {sizeLimit: {{ . }}}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}

{{/* A Deployment: dict root, part, image, command, port; queue, replicas, strategy, grace, env,
     preStop, resources, device, cacheSize, nodeSelector, tolerations. */}}
{{- define "proofsheet.deployment" -}}
{{- $name := printf "%s-%s" .root.Release.Name .part -}}
{{- if .queue }}{{ $name = printf "%s-%s" $name .queue }}{{ end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{ include "proofsheet.labels" . | nindent 4 }}
spec:
  {{- if ne .replicas nil }}
  replicas: {{ .replicas }}
  {{- end }}
  {{- with .strategy }}
  strategy: {{ toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels: {{ include "proofsheet.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{ include "proofsheet.labels" . | nindent 8 }}
      annotations:
        checksum/settings: {{ include (print .root.Template.BasePath "/settings.yaml") .root | sha256sum }}
    spec:
      {{- include "proofsheet.pod" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ .grace | default 30 }}
      {{- with .nodeSelector }}
      nodeSelector: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with .tolerations }}
      tolerations: {{ toYaml . | nindent 8 }}
      {{- end }}
      initContainers:
        - name: tables
          {{- include "proofsheet.container" . | nindent 10 }}
          command: [sh, -c, "until python manage.py migrate --check; do sleep 5; done"]
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- include "proofsheet.extraMounts" . | nindent 12 }}
      containers:
        - name: {{ .part }}
          {{- include "proofsheet.container" . | nindent 10 }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          {{- with .env }}
          env:
            {{- range $key, $value := . }}
            - {name: {{ $key }}, value: {{ $value | quote }}}
            {{- end }}
          {{- end }}
          ports:
            - {name: metrics, containerPort: {{ .port }}}
            {{- if eq .part "web" }}
            - {name: http, containerPort: 8000}
            {{- end }}
          {{- $asked := ternary "http" "metrics" (eq .part "web") }}
          startupProbe:
            httpGet: {path: /livez, port: {{ $asked }}}
            periodSeconds: 5
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: {{ $asked }}}
            periodSeconds: 20
            timeoutSeconds: 5
          readinessProbe:
            httpGet: {path: /readyz, port: {{ $asked }}}
            periodSeconds: 5
            timeoutSeconds: 5
          {{- with .preStop }}
          lifecycle:
            preStop: {exec: {command: {{ toJson . }}}}
          {{- end }}
          resources:
            {{- $limits := .resources.limits | default dict }}
            {{- if .device }}{{ $limits = merge (dict .device "1") $limits }}{{ end }}
            {{- with .resources.requests }}
            requests: {{ toYaml . | nindent 14 }}
            {{- end }}
            limits: {{ toYaml $limits | nindent 14 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            - {name: keys, mountPath: /var/lib/proofsheet, readOnly: true}
            {{- include "proofsheet.extraMounts" . | nindent 12 }}
            {{- if .cacheSize }}
            - {name: adapters, mountPath: /var/cache/proofsheet}
            {{- end }}
{{- end }}

{{/* A worker's command: dict queues, threads, name. */}}
{{- define "proofsheet.worker" -}}
{{ list "celery" "-A" "config" "worker" "-P" "threads" "-c" .threads "-Q" .queues "-n" (printf "%s@%%h" .name) "--without-gossip" "--without-mingle" "--loglevel" "INFO" | toJson }}
{{- end }}

{{/* How many may be away at once for maintenance of nodes: dict root, part, queue. */}}
{{- define "proofsheet.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .root.Release.Name }}-{{ .part }}{{ with .queue }}-{{ . }}{{ end }}
  labels: {{ include "proofsheet.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{ include "proofsheet.selector" . | nindent 6 }}
{{- end }}
