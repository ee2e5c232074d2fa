# One image for every Sluice process; what it is told to run is its role:
#
#   docker build -t sluice:local .
#   docker run sluice:local producer | worker | autoscaler | executor | publish | setup | sluice ...
#
# The target `shop` adds the sample app, and shows how an app's own image is made:
#
#   docker build -t sluice-shop:1 --target shop .

# The patch release is left to the registry, which mends security holes in it.
ARG NODE_IMAGE=node:20.19-bookworm-slim

# --- Compiles the sources, with the tools that only that needs. ---
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package's own install script runs: none of ours needs one.
RUN npm ci --ignore-scripts
COPY . .
RUN node ops/build.mjs

# --- What runs needs of packages. ---
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

# --- The image. ---
FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY --from=build /app/dist ./dist
COPY ops/docker ./ops/docker
# Owned by root and read only to whoever runs it; data goes into the volumes that compose names.
RUN mkdir -p /data && chown 1000:1000 /data && ln -s /app/dist/cli/main.js /usr/local/bin/sluice \
  && rm -rf dist/examples
# By number, so that an engine can see that it is not root.
USER 1000:1000
ENTRYPOINT ["/app/ops/docker/run.sh"]
# Asks the process's own /readyz or /livez; a role that does not listen is well while it runs.
HEALTHCHECK --interval=5s --timeout=4s --start-period=20s --retries=6 CMD ["node", "/app/ops/docker/healthcheck.mjs"]

# --- The sample app: its built files on top of the image. ---
FROM runtime AS shop
COPY --from=build /app/dist/examples ./dist/examples
COPY --from=build /app/examples/shop ./examples/shop
# Its handlers write below the working directory, and nothing else can be written in a worker's container.
WORKDIR /tmp

# What `docker build .` gives.
FROM runtime
