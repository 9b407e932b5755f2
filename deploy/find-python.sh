# Sets $python to a Python that can run PurelyManage, or ends with a sentence.
# Sourced by deploy/quickstart and deploy/test.

# Workers are told of each other's end, and end with each other, by this kernel alone.
if [ "$(uname -s)" != Linux ]; then
  echo "PurelyManage needs Linux: elsewhere, run it in a container or a virtual machine." >&2
  exit 1
fi

python=
best=
for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python
do
  # What a version manager offers but does not have fails here as well.
  found=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
  if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    best=${best:-"Python $found is too old"}
  elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
    best="Python $found lacks its venv module (on Debian and Ubuntu: apt install python$found-venv)"
  else
    python=$candidate
    break
  fi
done

if [ -z "$python" ]; then
  echo "PurelyManage needs Python 3.11 or newer with venv: ${best:-no Python was found}." >&2
  exit 1
fi
