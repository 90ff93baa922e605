#!/bin/sh
# Ends the servers of one stack when their owner is gone, however it went.
#
#   guardian.sh KEEP|REMOVE FOLDER MARK
#
# The owner holds the other end of standard input and never writes to it. Its end, by a kill -9 too, closes the pipe:
# then every process that carries the mark (an entry of its environment, there once in the world) is ended, and with
# REMOVE the folder goes too. A server that ends by itself, or is killed on purpose, is no reason to do anything.

fate=$1 folder=$2 mark=$3
ending=

carries() { grep -qzxsF -e "$mark" "/proc/$1/environ"; }

processes() {
    grep -lzxsF -e "$mark" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do echo "$pid"; done
}

# The two servers, in their own time: they write down what they have begun.
ask_to_end() {
    asked=
    for name in rabbitmq mariadb mysql; do
        pid=$(cat "$folder/pids/$name" 2>/dev/null) || continue
        carries "$pid" || continue
        # One that was frozen hears nothing until it is thawed.
        kill -TERM "$pid" && kill -CONT "$pid"
        asked="$asked $pid"
    done
    for _ in $(seq 200); do
        left=
        for pid in $asked; do carries "$pid" && left=1; done
        [ "$left" ] || return
        sleep 0.1
    done
}

# All that is left: epmd, what a server had started, a server that would not end.
kill_the_rest() {
    for _ in $(seq 200); do
        pids=$(processes)
        [ "$pids" ] || return
        kill -KILL $pids 2>/dev/null
        sleep 0.05
    done
}

trap '' HUP INT
trap 'ending=1' TERM
while [ -z "$ending" ] && read -r _; do :; done

# There is nothing to be gentle about when the data goes too.
[ "$fate" = REMOVE ] || ask_to_end
kill_the_rest
# A process that was being started when its owner died shows its mark an instant later.
sleep 0.1
kill_the_rest
# Only what is a stack's or a cluster's.
[ "$fate" = REMOVE ] && { [ -f "$folder/stack.json" ] || [ -f "$folder/cluster.json" ]; } && rm -rf -- "$folder"
exit 0
