#!/bin/sh
# Starts one MariaDB node of a Galera cluster at the position that its data have, or prints that position.
#
#   galera.sh start|position HOME MARIADBD ARGUMENT…
#
# A server that did not end in order has not written its position; InnoDB knows it. Without it the node would be sent
# all of the data again. With `start` this becomes the server, so the process id stays. If HOME/begin is there, the
# server begins a new cluster, once.

set -e
what=$1 home=$2
shift 2

position() {
    said=$("$@" --wsrep-recover 2>&1) || { printf '%s\n' "$said" >&2 && exit 1; }
    printf '%s\n' "$said" | sed -n 's/.*WSREP: Recovered position: *//p' | tail -n 1
}

if [ "$what" = position ]; then
    position "$@"
    exit
fi
if grep -qs '^seqno: *-1' "$home/data/grastate.dat"; then
    at=$(position "$@")
    [ -z "$at" ] || set -- "$@" --wsrep-start-position="$at"
fi
if [ -e "$home/begin" ]; then
    rm "$home/begin"
    set -- "$@" --wsrep-new-cluster
fi
exec "$@"
