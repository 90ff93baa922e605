#!/bin/sh
# MariaDB's own transfer of all data, by rsync, but with the rsync beside this script.
PATH=$(dirname "$0"):$PATH
exec wsrep_sst_rsync "$@"
