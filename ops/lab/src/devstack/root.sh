#!/bin/sh
# Runs a program inside a root, in a mount namespace of its own: what is mounted here is seen by that program alone and
# gone with it, however it ends. Started by `unshare --mount`; it becomes the program, so the process id stays.
#
#   root.sh ROOT FOLDER PROGRAM ARGUMENT…

set -e
root=$1 folder=$2
shift 2

# The stack's folder has the same path inside as outside. A temporary one leaves no trace in the root: its mount point
# is made on scratch that goes too.
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
