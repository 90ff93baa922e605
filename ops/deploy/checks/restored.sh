#!/usr/bin/env bash
# restored.sh PROGRAMS FOLDER [without-sending-again]: on the servers that SLUICE_TEST_AMQP_URL and
# SLUICE_TEST_DATABASE_URL name.
set -euo pipefail
programs=$1 folder=$2/restore how=${3:-}
rm -rf "$folder" && mkdir -p "$folder"
export PATH=$programs:$PATH AMQP_URL=$SLUICE_TEST_AMQP_URL SLUICE_PREFIX=restore-$RANDOM
export DATABASE_URL=${SLUICE_TEST_DATABASE_URL%/*}/restored_$RANDOM
worker=
trap '[ -z "$worker" ] || kill -9 "$worker" 2>/dev/null || true' EXIT

# The same server for the tools of the database, as their own arguments.
rest=${DATABASE_URL#mysql://}
user=${rest%%:*} server=${rest##*@} database=${DATABASE_URL##*/}
password=${rest#*:} password=${password%%@*}
export MYSQL_PWD=$password
server=${server%%/*}
at=(--user="$user" --host="${server%:*}" --port="${server#*:}" --protocol=tcp)

posts() { # posts FROM TO: lines with ids of their own
    for number in $(seq "$1" "$2"); do
        printf '{"id":"01890000-0000-7000-8000-%012d","title":"Post %d","content":"A walk along the river."}\n' "$number" "$number"
    done
}
publish() { sluice-producer publish "$1" --receipts "$folder/receipts" 2>&1; }
work() {
    sluice-worker run >>"$folder/worker" 2>&1 &
    worker=$!
}
rest() { kill "$worker" && wait "$worker" && worker=; }
stored() { # stored NUMBER
    for _ in $(seq 600); do
        [ "$(mariadb "${at[@]}" --batch --skip-column-names -e "SELECT COUNT(*) FROM $database.posts")" = "$1" ] && return
        sleep 0.1
    done
    echo "not $1 posts are stored" && return 1
}

sluice migrate
work
posts 1 100 >"$folder/before" && publish "$folder/before" && stored 100
mariadb-dump "${at[@]}" --single-transaction --routines --triggers "$database" >"$folder/dump"
posts 101 130 >"$folder/after" && publish "$folder/after" && stored 130

rest
posts 131 140 >"$folder/waiting" && publish "$folder/waiting"
mariadb "${at[@]}" -e "DROP DATABASE $database; CREATE DATABASE $database"
mariadb "${at[@]}" "$database" <"$folder/dump"
work
stored 110

code=0
sluice verify --receipts "$folder/receipts" --wait 2s --json >"$folder/verified" || code=$?
cat "$folder/verified"
[ "$code" = 1 ]
for number in 101 130; do grep -q "01890000-0000-7000-8000-$(printf %012d "$number")" "$folder/verified"; done
if grep -q '01890000-0000-7000-8000-000000000100' "$folder/verified"; then echo "a restored post is named as missing" && exit 1; fi

# Twice, as a sender does that lost the answer: no post is stored twice.
if [ -z "$how" ]; then publish "$folder/after" && publish "$folder/after" && stored 140; fi
sluice verify --receipts "$folder/receipts" --wait 2s
rest
mariadb "${at[@]}" -e "DROP DATABASE $database"
