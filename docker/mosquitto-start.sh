#!/bin/sh
# Starts mosquitto in its container: docker/mosquitto.conf without its own listener, then the listeners of the container.
# mosquitto cannot include a file and leave a line of it out, so the whole is put together at each start.
#   mosquitto-start.sh [CONFIGURATION FOLDER] [DATA FOLDER] [FILE TO WRITE]
set -eu
folder=${1:-/etc/mosquitto} data=${2:-/mosquitto/data/} made=${3:-/tmp/mosquitto.conf}
{
    grep -Ev '^(listener|allow_anonymous|max_connections|persistence_location)( |$)' "$folder/base.conf"
    echo "persistence_location $data"
    cat "$folder/listener.conf" "$folder/health.conf"
} >"$made"
exec mosquitto -c "$made"
