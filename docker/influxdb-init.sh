#!/bin/sh
# Run once by the image of InfluxDB 2, after it has made organisation, bucket and administrator on an empty volume. It adds what
# InfluxQL needs: the mapping of a database to the bucket, and a user that may read it and nothing else (Grafana).
# If it fails, the image throws its set-up away and tries again at the next start: half a set-up does not stay.
set -eu
bucket=${DOCKER_INFLUXDB_INIT_BUCKET:?"the name of the bucket is not set"}
id=${DOCKER_INFLUXDB_INIT_BUCKET_ID:?"the image did not find the bucket it has made"}
org=${DOCKER_INFLUXDB_INIT_ORG:?"the organisation is not set"}
reader=${SMELTER_READER:-grafana}
file=${SMELTER_READER_PASSWORD_FILE:?"no file with the password of the reading user"}
password=$(head -n 1 "$file")
[ "${#password}" -ge 8 ] || {
    echo "influxdb-init: $file holds no password (at least 8 characters)" >&2
    exit 1
}
influx v1 dbrp create --org "$org" --db "$bucket" --rp autogen --default --bucket-id "$id"
influx v1 auth create --org "$org" --username "$reader" --password "$password" --read-bucket "$id" >/dev/null
echo "influxdb-init: InfluxQL reads bucket $bucket as database $bucket; user $reader may read it"
