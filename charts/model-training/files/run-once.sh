#!/bin/sh
# Runs a worker's program: sh run-once.sh PROGRAM ARGUMENT…
# A program that has ended well leaves a mark in the workspace and is not run again in this run, also by a Job that is made anew.
# One that was stopped has not ended, also with 0: it has saved its progress, and another pod resumes from that.
mark=$SLIPWAY_WORKSPACE/runs/$SLIPWAY_RUN/ended-$PET_NODE_RANK

ended() {
  trap 'kill $! 2>/dev/null; exit 0' TERM INT
  echo "worker $PET_NODE_RANK of the run $SLIPWAY_RUN has ended; another value of rerun runs it again"
  [ "$SLIPWAY_WORKLOAD" = StatefulSet ] || exit 0
  # A StatefulSet would start a container that exits again and again.
  while :; do
    sleep 3600 &
    wait $!
  done
}

[ ! -e "$mark" ] || ended

# A shell that is the container's first process passes no signal on by itself.
program='' stopped='' again=yes
trap 'stopped=yes again=yes; [ -z "$program" ] || kill -TERM "$program" 2>/dev/null' TERM INT
"$@" &
program=$!
[ -z "$stopped" ] || kill -TERM "$program" 2>/dev/null
code=127
# A signal ends the wait before the program has ended. 127: it had ended, with the code from before.
while [ -n "$again" ]; do
  again=
  wait $program
  last=$?
  [ $last -eq 127 ] || code=$last
done
[ $code -eq 0 ] || exit $code
[ -z "$stopped" ] || exit 75 # which the chart does not count as a failure

# Not a redirection: one that fails ends the shell.
mkdir -p "${mark%/*}" && touch "$mark" || echo "can't write $mark: another Job of this run would run the program again" >&2
ended
