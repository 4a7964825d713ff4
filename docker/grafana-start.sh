#!/bin/sh
# Starts Grafana in its container with the token of the store, which provisioning files can take from the environment only:
# read here from its file, it is not in what `docker inspect` shows. With a user it is that user's password (InfluxDB 2 takes
# `user:password` for what InfluxQL asks), without one a token (InfluxDB 3).
#   grafana-start.sh [START SCRIPT OF THE IMAGE] [FILE]
set -eu
start=${1:-/run.sh} file=${2:-/run/secrets/store_password}
word=$(cat "$file")
[ -n "$word" ] || {
    echo "grafana-start: $file is empty" >&2
    exit 1
}
export SMELTER_INFLUX_TOKEN="${SMELTER_INFLUX_USER:+$SMELTER_INFLUX_USER:}$word"
exec "$start"
