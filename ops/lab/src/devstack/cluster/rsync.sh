#!/bin/sh
# rsync, whose daemon gives up root's rights unless it is told otherwise: then it could not write where a server of root's
# keeps its data.
rsync=/usr/bin/rsync
case "$(id -u) $*" in
0\ *--daemon*) exec $rsync "$@" --dparam=uid=0 --dparam=gid=0 ;;
esac
exec $rsync "$@"
