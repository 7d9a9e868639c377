#!/bin/sh
# Runs a worker's program: sh run-once.sh PROGRAM ARGUMENT…
# A program that has ended well leaves a mark in the workspace and is not run again in this run, also by a Job that is made anew.
mark=$SLIPWAY_WORKSPACE/runs/$SLIPWAY_RUN/ended-$PET_NODE_RANK

ended() {
  trap 'kill $! 2>/dev/null; exit 0' TERM INT
  echo "worker $PET_NODE_RANK of the run $SLIPWAY_RUN has ended; another value of rerun runs it again"
  [ "$SLIPWAY_WORKLOAD" = StatefulSet ] && [ -z "$stopped" ] || exit 0
  # A StatefulSet would start a container that exits again and again.
  while :; do
    sleep 3600 &
    wait $!
  done
}

stopped=
[ ! -e "$mark" ] || ended

# A shell that is the container's first process passes no signal on by itself.
"$@" &
program=$!
trap 'stopped=yes again=yes; kill -TERM $program 2>/dev/null' TERM INT
again=yes
code=127
# A signal ends the wait before the program has ended. 127: it had ended, with the code from before.
while [ -n "$again" ]; do
  again=
  wait $program
  last=$?
  [ $last -eq 127 ] || code=$last
done
[ $code -eq 0 ] || exit $code

mkdir -p "${mark%/*}" && : >"$mark" || echo "can't write $mark: another Job of this run would run the program again" >&2
ended
