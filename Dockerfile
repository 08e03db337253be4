# syntax=docker/dockerfile:1
# docker build -t hilum .
# docker build -t hilum:cuda --build-arg GPU=cuda12 --build-arg RUNTIME=nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04 .

ARG NODE=node:24-bookworm
ARG RUNTIME=debian:bookworm-slim

FROM ${NODE} AS build
WORKDIR /opt/hilum
# skip | cuda12: whether ONNX Runtime's GPU libraries are downloaded (they are not part of the npm package)
ARG GPU=skip
ENV ONNXRUNTIME_NODE_INSTALL=${GPU}
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-fund --no-audit && npm rebuild better-sqlite3 \
  && if [ "$GPU" != skip ]; then node node_modules/onnxruntime-node/script/install.js; fi
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && node src/setup.mjs --viewer && npm prune --omit=dev

FROM ${RUNTIME}
# The Node of the build stage: native modules are compiled against it.
COPY --from=build /usr/local/bin/node /usr/local/bin/node
RUN groupadd --gid 10001 hilum && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin hilum \
  && install -d -o hilum -g hilum /var/lib/hilum
WORKDIR /opt/hilum
COPY --from=build /opt/hilum/node_modules node_modules
COPY --from=build /opt/hilum/dist dist
COPY package.json ./
COPY migrations migrations
COPY models models
COPY config config
USER hilum
ENV NODE_ENV=production HILUM_DATADIR=/var/lib/hilum HILUM_HTTP_HOST=0.0.0.0
VOLUME /var/lib/hilum
EXPOSE 11112 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.HILUM_HTTP_PORT || 8080) + '/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "dist/main.js", "start"]
