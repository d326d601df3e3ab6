#!/bin/bash
# Makes the homes of earlier versions in this folder, each by the programs of that commit:
#
#   sudo unshare --uts ./make.sh [COMMIT…]
#
# from a clone of this repository with its history. It needs root for the host name that the
# homes have (older-host), and /tmp/older, the folder that they are made in: the test puts its own
# folder and host in the place of both. Without arguments it makes all of them. A commit stands for
# a format: it is the last one that compiles before the next format of anything in a home.
#
#   bb478af  graph.db 1, as first published; no transcripts are read yet
#   0855f0e  graph.db 1, seq is a column
#   c750d94  graph.db 2, usage a row an action; transcripts.index 1
#   7498fb8  graph.db 2, usage a row of sums a session
#   4225fa1  graph.db 3; transcripts.index 2 of ten fields
#   55aa1cd  transcripts.index 2 of eleven fields
#   9fc7986  transcripts.index 2 of twelve fields
#   3a3ce57  graph.db 3; transcripts.index 2 of fourteen fields, as it is now
#   461e51f  graph.db 3 with an index of agents
#   4a2f7b5  graph.db 4; dumps are read: source-* journals
#   a1a788a  graph.db 4, usage in parts of four hours
#   95cc23b  graph.db 5
#   c1465aa  graph.db 6 without position.fold; policy 1, left_out of 32 bytes' names
#   0f9100c  graph.db 6, fold revision 1
#   f90afce  graph.db 6; the index names no excluded file; the last home without <home>/version
set -euo pipefail
cd "$(dirname "$0")"
repo=$(git rev-parse --show-toplevel) out=$PWD root=/tmp/older
captures=$repo/internal/e2e/testdata/captures
[ $# -gt 0 ] || set -- $(sed -n 's/^#   \([0-9a-f]\{7\}\)  .*/\1/p' make.sh)
hostname older-host
export HOME=$root/user AG_HOME=$root/home TZ=UTC
unset CLAUDE_CONFIG_DIR

# play CAPTURE: what the hooks of a recorded session were given, at the times at which they were.
play() {
  python3 - "$1" "$bin/ag-hook" <<'P'
import datetime, json, subprocess, sys
for line in open(sys.argv[1]):
    hook = json.loads(line)
    at = datetime.datetime.fromtimestamp(hook["recv_ns"] / 1e9, datetime.UTC).isoformat()
    subprocess.run([sys.argv[2], "claude", "--at", at.replace("+00:00", "Z")], input=hook["stdin"].encode(), check=True)
P
}

for commit; do
  bin=${BIN:-/tmp/older-build}/$commit/bin
  if [ ! -x "$bin/ag-sessiond" ]; then
    mkdir -p "$bin" && git -C "$repo" archive "$commit" | tar x -C "$bin/.."
    (cd "$bin/.." && go build -trimpath -ldflags=-s -o bin/ ./cmd/ag-hook ./cmd/ag-sessiond)
  fi
  rm -rf $root && mkdir -p $root/user $root/projects/-w $root/logs
  ag() { "$bin/ag-sessiond" "$@"; }
  play $captures/d_agent_error/hooks.jsonl
  play $captures/e_host_deny/hooks.jsonl
  ag sync
  ag tag cda1ca12 older
  if ag import --help | grep -q 'session files of Claude Code'; then
    cp -r $captures/d_agent_error/projects/* $captures/a_tools/projects/* $root/projects/-w/
    find $root/projects -type f -exec touch -d 2026-11-21T12:00:00Z {} +
    ag import $root/projects
  fi
  if ag import --help | grep -q audit; then
    head -n 12 $repo/adapters/jsonl/testdata/audit/trace-260301_101500.jsonl > $root/logs/trace-260301_101500.jsonl
    touch -d 2026-11-21T12:00:00Z $root/logs/*
    ag import $root/logs/trace-260301_101500.jsonl
  fi
  if ag config set capture.exclude_tools WebFetch capture.exclude_projects '["/home/dev/work/b_failures/**"]' 2> /dev/null; then
    ag status > /dev/null # an early one compiles the policy only here
    play $captures/b_failures/hooks.jsonl
  fi
  ag sync
  ag sessions
  ls $root/home
  tar c -C $root --sort=name --owner=0 --group=0 --numeric-owner home projects logs | gzip -9n > "$out/$commit.tar.gz"
done
rm -rf $root
ls -l "$out"
