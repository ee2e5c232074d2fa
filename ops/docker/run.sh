#!/bin/sh
# Starts the process of a role in place of this shell, so that it gets the signals.
set -eu
role="${1:-}"
[ $# -eq 0 ] || shift
case "$role" in
  producer | worker | autoscaler) exec node "/app/dist/$role/main.js" "$@" ;;
  executor) exec node /app/dist/autoscaler/main.js executor "$@" ;;
  publish) exec node /app/dist/worker/main.js publish "$@" ;;
  setup) exec node /app/ops/docker/setup.mjs "$@" ;;
  sluice) exec node /app/dist/cli/main.js "$@" ;;
  *)
    echo "Name a role: producer, worker, autoscaler, executor, publish, setup, or sluice with a command." >&2
    exit 64
    ;;
esac
