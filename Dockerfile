# The services of Baton. They differ in their last line alone, so that all three share every layer:
#   docker build --target task-service .          (or distribution-service, metrics-service)
# Debian and not Alpine: nothing here is native, but Node is built for and tested on glibc first.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /baton
# Manifests alone, so that what is installed stays cached until a dependency changes.
COPY package.json package-lock.json ./
COPY packages/accounts/package.json packages/accounts/
COPY packages/bus/package.json packages/bus/
COPY packages/contracts/package.json packages/contracts/
COPY packages/runtime/package.json packages/runtime/
COPY packages/telemetry/package.json packages/telemetry/
COPY services/distribution-service/package.json services/distribution-service/
COPY services/metrics-service/package.json services/metrics-service/
COPY services/task-service/package.json services/task-service/

FROM manifests AS build
RUN npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root \
  --workspace services/distribution-service --workspace services/metrics-service --workspace services/task-service
COPY tsconfig.base.json ./
COPY packages packages
COPY services services
RUN node_modules/.bin/tsc -b services/distribution-service services/metrics-service services/task-service \
  && find packages services ! -type d ! -name package.json ! -name '*.js' ! -name '*.js.map' -delete \
  && find packages services -type d -empty -delete

FROM manifests AS dependencies
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev \
  --workspace services/distribution-service --workspace services/metrics-service --workspace services/task-service

FROM ${NODE_IMAGE} AS runtime
WORKDIR /baton
# Owned by root: a service cannot change its own program.
COPY --from=dependencies /baton ./
COPY --from=build /baton/packages packages
COPY --from=build /baton/services services
# What task-service serves of itself.
COPY docs/openapi.json docs/asyncapi.json docs/
ENV NODE_ENV=production \
  BATON_HTTP_HOST=0.0.0.0 \
  BATON_OPERATIONS_HOST=0.0.0.0 \
  BATON_HTTP_PORT=4000 \
  BATON_OPERATIONS_PORT=4100
EXPOSE 4000 4100
USER node
# Healthy means ready. Where something restarts what is unhealthy (Swarm, not Compose), ask /livez instead: no restart
# ends an outage of Postgres or NATS.
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.BATON_OPERATIONS_PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
LABEL org.opencontainers.image.vendor="Baton" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="0.1.0"

FROM runtime AS metrics-service
LABEL org.opencontainers.image.title="Baton metrics-service"
CMD ["node", "--enable-source-maps", "--max-semi-space-size=32", "--import", "@baton/runtime/tracing", "services/metrics-service/dist/main.js"]

FROM runtime AS distribution-service
LABEL org.opencontainers.image.title="Baton distribution-service"
CMD ["node", "--enable-source-maps", "--max-semi-space-size=32", "--import", "@baton/runtime/tracing", "services/distribution-service/dist/main.js"]

FROM runtime AS task-service
LABEL org.opencontainers.image.title="Baton task-service"
CMD ["node", "--enable-source-maps", "--max-semi-space-size=32", "--import", "@baton/runtime/tracing", "services/task-service/dist/main.js"]
