#!/bin/busybox sh
# One connection to port 7: who answers, then whatever was said comes back (echo, RFC 862).
addresses=$(ip -4 -o addr show scope global | sed 's/.* inet \([0-9.]*\).*/\1/' | tr '\n' ' ')
echo "$(hostname) ${addresses}boots=$(cat /run/boots)"
exec cat
