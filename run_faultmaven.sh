#!/usr/bin/env bash
# Set FaultMaven up and start it. Everything it needs goes into its own Python environment;
# the first start installs it, later starts only if what is locked has changed.
#
# Works with the bash 3.2 of macOS; `set -e` is not relied on inside conditions.
set -euo pipefail

usage() {
  cat <<'TEXT'
FaultMaven: an LLM gateway for troubleshooting.

  ./run_faultmaven.sh                    set up if needed, and start the service
  ./run_faultmaven.sh --port 9000        the same with options of `faultmaven serve`
  ./run_faultmaven.sh test [ARGS…]       install what the tests need and run them (ARGS go to pytest)
  ./run_faultmaven.sh doctor             check every configured provider for real
  ./run_faultmaven.sh providers          show the providers and the fallback chain
  ./run_faultmaven.sh ask "…" --file app.log
  ./run_faultmaven.sh COMMAND [ARGS…]    any other command of `faultmaven`; `help` lists them
  ./run_faultmaven.sh setup [test]       only install what the service (or the tests) need
  ./run_faultmaven.sh --help             this text

Configuration comes from the environment, then from the file .env beside this script
(.env.example has every variable). Some that matter at the start:

  HOST, PORT            where the service listens (127.0.0.1, 8000)
  CHAT_PROVIDER         the provider that is asked first
  LOCAL_MODEL=off       never fetch or start the embedded model
  FAULTMAVEN_PYTHON     the Python to use, 3.11 or newer (default: the best one found)
  FAULTMAVEN_VENV       folder of the Python environment (default: .venv beside this script)
TEXT
}

say() { printf '%s\n' "$*" >&2; }

die() {
  say "FaultMaven: $1"
  shift
  local line
  for line in "$@"; do say "  $line"; done
  exit 1
}

# The folder of this script, through symbolic links (macOS has no `readlink -f`).
script_folder() {
  local file=$1 folder target
  while :; do
    folder=$(cd -P "$(dirname "$file")" && pwd)
    [[ -L "$file" ]] || break
    target=$(readlink "$file")
    case $target in
      /*) file=$target ;;
      *) file=$folder/$target ;;
    esac
  done
  printf '%s\n' "$folder"
}

# --- Python ---

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Print a Python that can make the environment, or say what to install and fail. A command may
# exist and yet not run (shims of version managers), so each is tried.
find_python() {
  local candidate lacking=""
  if [[ -n "${FAULTMAVEN_PYTHON:-}" ]]; then
    new_enough "$FAULTMAVEN_PYTHON" ||
      die "FAULTMAVEN_PYTHON=$FAULTMAVEN_PYTHON is not a working Python 3.11 or newer."
    can_make_environments "$FAULTMAVEN_PYTHON" || explain_missing_venv "$FAULTMAVEN_PYTHON"
    printf '%s\n' "$FAULTMAVEN_PYTHON"
    return
  fi
  for candidate in python3.13 python3.12 python3.14 python3.11 python3 python; do
    new_enough "$candidate" || continue
    if can_make_environments "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
    lacking=${lacking:-$candidate}
  done
  [[ -z "$lacking" ]] || explain_missing_venv "$lacking"
  die "it needs Python 3.11 or newer, and none was found." "$(python_advice)" \
    "Or name one: FAULTMAVEN_PYTHON=/path/to/python3 ./run_faultmaven.sh"
}

python_advice() {
  if command -v brew >/dev/null 2>&1; then
    echo "Install it: brew install python@3.13"
  elif command -v apt-get >/dev/null 2>&1; then
    echo "Install it: sudo apt-get install python3 python3-venv   (Debian 12, Ubuntu 24.04 or newer)"
  elif command -v dnf >/dev/null 2>&1; then
    echo "Install it: sudo dnf install python3.12"
  else
    echo "Install it from https://www.python.org/downloads/"
  fi
}

explain_missing_venv() {
  local version
  version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  die "Python $version is here, but without what makes environments (venv and pip)." \
    "On Debian and Ubuntu: sudo apt-get install python3-venv   (or python$version-venv)"
}

# --- the environment ---

# Everything that decides what is installed, as one number.
wanted() {
  printf '%s ' "$INSTALLER" "$ROOT"
  cat "$1" pyproject.toml | cksum
}

stamp_of() { printf '%s/.installed-%s\n' "$VENV" "$1"; }

is_installed() { # lock
  local stamp
  stamp=$(stamp_of "$1")
  [[ -f "$stamp" && "$(cat "$stamp")" == "$(wanted "$1")" ]] || return 1
  # The Python below the environment may have been removed or replaced meanwhile.
  "$VENV/bin/python" -c 'import faultmaven' 2>/dev/null
}

# Hold a lock until this script and what it started are gone: an inherited open file keeps it,
# so a killed start never leaves it behind. macOS has no flock(1); Python is there anyway.
lock_setup() { # python
  exec 9<pyproject.toml
  "$1" - <<'PYTHON' || die "another start of FaultMaven could not be waited for."
import fcntl
import sys

try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Waiting for another start to finish its installation …", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass  # some network file systems know no locks
PYTHON
}

unlock_setup() { exec 9<&-; }

# Make the environment if there is none, and make it anew when its Python is gone or an
# installation in it was cut off: half-written packages cannot be told from whole ones.
prepare_environment() { # python
  local broken=""
  if [[ ! -f "$VENV/pyvenv.cfg" ]]; then
    [[ -z "$(ls -A "$VENV" 2>/dev/null)" ]] ||
      die "$VENV is not a Python environment; set FAULTMAVEN_VENV to another folder."
    say "Making a Python environment in $VENV …"
  else
    [[ ! -f "$VENV/$UNFINISHED" ]] || broken="its last installation did not finish"
    new_enough "$VENV/bin/python" || broken="its Python is gone"
    [[ -n "$broken" ]] || has_pip || broken="it has no pip"
    [[ -n "$broken" ]] || return 0
    say "The environment in $VENV is made anew: $broken."
  fi
  "$1" -m venv --clear "$VENV" || die "the Python environment in $VENV could not be made."
}

has_pip() {
  "$VENV/bin/python" -c 'import pip' 2>/dev/null ||
    "$VENV/bin/python" -m ensurepip --default-pip >/dev/null 2>&1
}

pip_install() {
  # A setting for installs outside environments must not reach this one.
  env PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 \
    "$VENV/bin/python" -m pip install -qq --no-compile "$@"
}

install_lock() { # lock
  local lock=$1
  say "Installing from $lock (once; later starts are quick) …"
  : >"$VENV/$UNFINISHED"
  pip_install --require-hashes -r "$lock" ||
    die "the packages of $lock could not be installed; the reason stands above." \
      "Check the network (or pip's index and proxy settings) and start again."
  # The project itself comes from this folder and needs no network.
  pip_install --no-deps --no-index --no-build-isolation --editable . ||
    die "the project itself could not be installed; the reason stands above."
  wanted "$lock" >"$(stamp_of "$lock")"
  # What the tests need includes what the service needs, in the same versions.
  [[ "$lock" != "$TEST_LOCK" ]] || wanted "$LOCK" >"$(stamp_of "$LOCK")"
  rm -f "$VENV/$UNFINISHED"
}

install_engine() {
  say "Installing the engine of the embedded model …"
  if pip_install --only-binary :all: --require-hashes -r "$ENGINE_LOCK" 2>"$VENV/engine.log"; then
    wanted "$ENGINE_LOCK" >"$(stamp_of "$ENGINE_LOCK")"
    return
  fi
  say "The embedded model's engine could not be installed here (see $VENV/engine.log)." \
    "Everything else works; LOCAL_MODEL=off ends this message."
}

wants_engine() {
  [[ "${LOCAL_MODEL:-}" != off ]] && ! is_installed "$ENGINE_LOCK" || return 1
  "$VENV/bin/python" - <<'PYTHON'
from faultmaven.errors import ConfigurationError
from faultmaven.settings import load_settings

try:
    wanted = load_settings().local_model != "off"
except ConfigurationError:
    wanted = False  # the command that follows says what is wrong
raise SystemExit(not wanted)
PYTHON
}

set_up() { # lock
  local python
  if ! is_installed "$1"; then
    python=$(find_python)
    lock_setup "$python"
    if ! is_installed "$1"; then
      prepare_environment "$python"
      install_lock "$1"
    fi
    unlock_setup
  fi
  if wants_engine; then
    lock_setup "$VENV/bin/python"
    is_installed "$ENGINE_LOCK" || install_engine
    unlock_setup
  fi
}

# --- commands ---

serve() {
  set_up "$LOCK"
  exec "$VENV/bin/faultmaven" serve "$@"
}

only_set_up() {
  case ${1:-} in
    "") set_up "$LOCK" ;;
    test) set_up "$TEST_LOCK" ;;
    *) die "setup knows nothing called '$1'; say setup, or setup test." ;;
  esac
}

run_tests() {
  set_up "$TEST_LOCK"
  exec "$VENV/bin/python" -m pytest "$@"
}

other_command() {
  set_up "$LOCK"
  exec "$VENV/bin/faultmaven" --relative-to "$CALLER" "$@"
}

CALLER=$PWD
ROOT=$(script_folder "${BASH_SOURCE[0]}")
cd "$ROOT"
INSTALLER=1 # raise it when the way of installing changes
LOCK=requirements.lock
TEST_LOCK=requirements-test.lock
ENGINE_LOCK=requirements-engine.lock
UNFINISHED=.installing
VENV=${FAULTMAVEN_VENV:-$ROOT/.venv}
case $VENV in
  /*) ;;
  *) VENV=$CALLER/$VENV ;;
esac

case ${1:-} in
  "") serve ;;
  -h | --help) usage ;;
  test)
    shift
    run_tests "$@"
    ;;
  serve)
    shift
    serve "$@"
    ;;
  setup)
    shift
    only_set_up "$@"
    ;;
  -*) serve "$@" ;;
  help) other_command --help ;;
  *) other_command "$@" ;;
esac
