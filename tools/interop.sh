#!/usr/bin/env bash
# What `make interop` runs against: three real model servers and the suites of their clients, each in its own folder of
# a cache. Every step leaves a mark when it is done, so that an interrupted run goes on where it stopped.
#
#   tools/interop.sh [STEP…]     steps: source llama-server transformers llama-cpp-python suites openresponses model
#                                systems conformance oidc-provider langgraph crewai
#
# FAIRLEAD_INTEROP  the cache (default ~/.cache/fairlead-interop)
# TORCH             what to install for PyTorch (default torch==2.13.0)
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD
renice -n 15 -p $$ >/dev/null
CACHE=${FAIRLEAD_INTEROP:-$HOME/.cache/fairlead-interop}
PYTHON=${PYTHON:-python3}
LLAMA_CPP_PYTHON=0.3.36
MCP=2.3.0
OIDC_PROVIDER=9.13.3
MCP_CONFORMANCE=0.2.0-alpha.12
mkdir -p "$CACHE/marks" "$CACHE/logs"

say() { printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }

# once NAME COMMAND…: runs the command unless its mark is there; its output goes to a log.
once() {
  local name=$1
  shift
  if [[ -e $CACHE/marks/$name ]]; then
    say "$name: here already"
    return
  fi
  say "$name: begins; log in $CACHE/logs/$name.log"
  if ! "$@" >"$CACHE/logs/$name.log" 2>&1; then
    say "$name: failed; the end of its log:"
    tail -n 20 "$CACHE/logs/$name.log" >&2
    return 1
  fi
  touch "$CACHE/marks/$name"
  say "$name: done"
}

venv() { [[ -x $CACHE/$1/bin/python ]] || "$PYTHON" -m venv "$CACHE/$1"; }

into() { # into VENV PACKAGE…
  local name=$1
  shift
  venv "$name"
  "$CACHE/$name/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@"
}

source_archive() { # llama.cpp's source travels inside llama-cpp-python's
  mkdir -p "$CACHE/archive"
  "$PYTHON" -m pip download --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
    -d "$CACHE/archive" "llama-cpp-python==$LLAMA_CPP_PYTHON" ||
    "$PYTHON" -m pip download --disable-pip-version-check --no-deps --no-binary llama-cpp-python \
      -d "$CACHE/archive" "llama-cpp-python==$LLAMA_CPP_PYTHON"
  tar -xzf "$CACHE"/archive/llama_cpp_python-*.tar.gz -C "$CACHE/archive"
  rm -rf "$CACHE/llama.cpp"
  mv "$CACHE"/archive/llama_cpp_python-*/vendor/llama.cpp "$CACHE/llama.cpp"
}

llama_server() {
  local off
  off=$(printf -- '-D%s=OFF ' GGML_NATIVE GGML_OPENMP LLAMA_OPENSSL LLAMA_BUILD_TESTS LLAMA_BUILD_EXAMPLES \
    LLAMA_BUILD_APP LLAMA_BUILD_UI LLAMA_USE_PREBUILT_UI BUILD_SHARED_LIBS)
  # shellcheck disable=SC2086  # one word for each switch
  cmake -S "$CACHE/llama.cpp" -B "$CACHE/llama.cpp/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-O1 $off
  cmake --build "$CACHE/llama.cpp/build" -j "${JOBS:-2}" --target llama-server
}

transformers_serve() {
  into transformers "${TORCH:-torch==2.13.0}"
  into transformers 'transformers[serving]==5.23.0' gguf
  mkdir -p "$CACHE/hub/hub" # without the folder its list of models fails
}

llama_cpp_python() {
  CMAKE_ARGS='-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF' into llama-cpp-python "llama-cpp-python[server]==$LLAMA_CPP_PYTHON"
}

suites() {
  into suites openai anthropic langchain-openai langchain-anthropic langchain-tests \
    pytest pytest-asyncio pytest-timeout requests aiohttp filelock wget prometheus_client
}

systems() { # the reference servers of the Model Context Protocol, each in an environment of its own
  mkdir -p "$CACHE/systems"
  npm install --prefix "$CACHE/systems" --no-audit --no-fund --ignore-scripts \
    @modelcontextprotocol/server-filesystem @modelcontextprotocol/server-everything @modelcontextprotocol/server-memory
  into mcp-server-git mcp-server-git
  into mcp-server-time mcp-server-time
}

conformance() { # the protocol's own suite, the Node that it needs, and the fixture from the source of the Python SDK
  mkdir -p "$CACHE/conformance" "$CACHE/archive"
  npm install --prefix "$CACHE/conformance" --no-audit --no-fund \
    "@modelcontextprotocol/conformance@$MCP_CONFORMANCE" node@22
  "$PYTHON" -m pip download --disable-pip-version-check --no-deps --no-binary mcp -d "$CACHE/archive" "mcp==$MCP"
  rm -rf "$CACHE/everything-server"
  mkdir "$CACHE/everything-server"
  tar -xzf "$CACHE/archive/mcp-$MCP.tar.gz" -C "$CACHE/everything-server" --strip-components=4 \
    "mcp-$MCP/examples/servers/everything-server"
  into everything "mcp==$MCP" "$CACHE/everything-server"
}

oidc_provider() { # an identity provider, for the exchange of tokens
  mkdir -p "$CACHE/oidc-provider"
  npm install --prefix "$CACHE/oidc-provider" --no-audit --no-fund --ignore-scripts "oidc-provider@$OIDC_PROVIDER"
}

for step in "${@:-all}"; do
  case $step in
  all) exec "$0" source llama-server transformers llama-cpp-python suites model systems conformance oidc-provider \
    langgraph crewai ;;
  source) once source source_archive ;;
  llama-server) once llama-server llama_server ;;
  transformers) once transformers transformers_serve ;;
  llama-cpp-python) once llama-cpp-python llama_cpp_python ;;
  suites) once suites suites ;;
  systems) once systems systems ;;
  oidc-provider) once oidc-provider oidc_provider ;;
  conformance) once conformance conformance ;;
  langgraph)
    once langgraph into langgraph langgraph==1.2.22 langchain==1.4.7 langchain-openai==1.7.3 langchain-anthropic==1.7.7
    ;;
  crewai) once crewai into crewai crewai==1.15.30 ;;
  model) once model "$CACHE/transformers/bin/python" "$ROOT/evals/interop/tiny_model.py" "$CACHE/model" ;;
  *)
    say "no step is called $step"
    exit 2
    ;;
  esac
done
