#!/usr/bin/env bash
# Installs what the workflows of Fairlead are measured against into an environment of its own, never into Fairlead's;
# safe to run again. DBOS is there already: Fairlead's runs are carried by it.    usage: bench/peers.sh [DIR]
set -euo pipefail
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/fairlead-bench}/langgraph
here=$(cd "$(dirname "$0")/.." && pwd)
python=$here/.venv/bin/python
[ -x "$python" ] || python=python3
if [ -x "$here/.venv/bin/uv" ]; then
  "$here/.venv/bin/uv" venv --quiet --allow-existing --python "$python" "$dir"
  install=("$here/.venv/bin/uv" pip install --quiet --python "$dir/bin/python")
else
  "$python" -m venv "$dir"
  install=("$dir/bin/python" -m pip install --quiet)
fi
"${install[@]}" langgraph==1.2.22 langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint-postgres==3.2.0 "psycopg[binary,pool]==3.3.9"
echo "LangGraph is in $dir"
