#!/bin/sh
# Makes the secrets of docker/compose.yaml in docker/secrets (or $SMELTER_SECRETS): words drawn at random, one a file.
#   docker/secrets.sh                  what is not there yet; a user added to docker/mosquitto.acl gets a word
#   docker/secrets.sh tls [NAME ...]   besides, an authority and a certificate of the broker, for these names or addresses too
# A word that is there is never replaced: delete its file to have it made anew. Run by root, each file belongs to the user of its container
# alone (0600). Run by another user that is impossible: files are then 0644 in a folder that only that user may enter.
set -eu
umask 077
here=$(cd -- "$(dirname -- "$0")" && pwd -P)
folder=${SMELTER_SECRETS:-$here/secrets}
image=${MOSQUITTO_IMAGE:-eclipse-mosquitto:2.0.22}
# Users within the images.
mosquitto=1883 twin=10001 influxdb=1000 influxdb3=1500 grafana=472
mkdir -p "$folder"
chmod 700 "$folder"

word() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }
fresh() { # FILE TEXT
    [ -s "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"
}
copied() { # FROM TO: so that each container has a file of its own
    [ -s "$folder/$2" ] || cat "$folder/$1" >"$folder/$2"
}
owned() { # USER FILE ...
    user=$1
    shift
    for file; do
        if [ "$(id -u)" = 0 ]; then chown "$user:$user" "$folder/$file" && chmod 600 "$folder/$file"; else chmod 644 "$folder/$file"; fi
    done
}
hashed() { # user:word lines to a password file of mosquitto; no word stands in a list of processes
    if command -v mosquitto_passwd >/dev/null; then
        cat >"$folder/.words"
        mosquitto_passwd -U "$folder/.words" && cat "$folder/.words"
    else
        docker run --rm -i --network none --entrypoint sh "$image" \
            -c 'umask 077; cat >/tmp/words && mosquitto_passwd -U /tmp/words && cat /tmp/words'
    fi
}
broker() {
    users=$(sed -n 's/^user //p' "$here/mosquitto.acl")
    for user in $users; do fresh "mqtt-$user" "$(word)"; done
    trap 'rm -f "$folder/.words" "$folder/.hashed"' EXIT
    for user in $users; do printf '%s:%s\n' "$user" "$(cat "$folder/mqtt-$user")"; done | hashed >"$folder/.hashed"
    [ "$(grep -c '^[^:]*:\$[0-9]' "$folder/.hashed")" = "$(echo "$users" | wc -w)" ] || {
        echo "secrets: mosquitto_passwd made no password file" >&2
        exit 1
    }
    cat "$folder/.hashed" >"$folder/mosquitto-passwords" # into the same file: it is mounted
    owned $mosquitto mosquitto-passwords
    owned $twin mqtt-twin mqtt-simulator
}
stores() {
    fresh influxdb-admin-password "$(word)"
    fresh influxdb-admin-token "$(word)"
    fresh influxdb-reader "$(word)"
    copied influxdb-admin-token twin-influxdb-token
    copied influxdb-reader grafana-influxdb-password
    owned $influxdb influxdb-admin-password influxdb-admin-token influxdb-reader
    fresh twin-influxdb3-token "apiv3_$(word)"
    fresh influxdb3-admin-token.json "{\"token\": \"$(cat "$folder/twin-influxdb3-token")\", \"name\": \"_admin\"}"
    copied twin-influxdb3-token grafana-influxdb3-password
    owned $influxdb3 influxdb3-admin-token.json
    fresh grafana-admin-password "$(word)"
    owned $grafana grafana-admin-password grafana-influxdb-password grafana-influxdb3-password
    fresh page-token "$(word)"
    owned $twin twin-influxdb-token twin-influxdb3-token page-token
}
certificates() { # NAME ...
    names=DNS:mosquitto,DNS:localhost,IP:127.0.0.1
    for name; do case $name in *[!0-9.]*) names=$names,DNS:$name ;; *) names=$names,IP:$name ;; esac; done
    if [ ! -s "$folder/tls-ca.key" ]; then
        openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=smelter-twin CA" \
            -keyout "$folder/tls-ca.key" -out "$folder/tls-ca.crt" 2>/dev/null
    fi
    if [ ! -s "$folder/tls-server.crt" ]; then
        openssl req -newkey rsa:3072 -nodes -subj "/CN=mosquitto" \
            -keyout "$folder/tls-server.key" -out "$folder/.csr" 2>/dev/null
        printf 'subjectAltName=%s\n' "$names" >"$folder/.names"
        openssl x509 -req -in "$folder/.csr" -CA "$folder/tls-ca.crt" -CAkey "$folder/tls-ca.key" -CAcreateserial \
            -days 365 -out "$folder/tls-server.crt" -extfile "$folder/.names" 2>/dev/null
        rm -f "$folder/.csr" "$folder/.names"
    fi
    owned $mosquitto tls-server.key
    chmod 644 "$folder/tls-ca.crt" "$folder/tls-server.crt" # public; tls-ca.key stays with who ran this
}

broker
stores
case ${1-} in
    '') ;;
    tls)
        shift
        certificates "$@"
        ;;
    *)
        echo "secrets: $1? Usage: docker/secrets.sh [tls [NAME ...]]" >&2
        exit 2
        ;;
esac
echo "secrets: in $folder"
[ "$(id -u)" = 0 ] || echo "secrets: not run by root: files are 0644 in a folder of 0700 (docs/docker.md)" >&2
