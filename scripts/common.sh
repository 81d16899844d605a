# Shared by the scripts beside it: what the machine must have before anything is built.
# Sourced with the script's arguments; leaves the working directory at the top of the checkout.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

system_packages=(
  libopenblas-dev liblapacke-dev liblmdb-dev libsimdjson-dev libsodium-dev zlib1g-dev
)

install=yes
arguments=()
for argument in "$@"; do
  if [ "$argument" = --no-install ]; then install=no; else arguments+=("$argument"); fi
done
set -- "${arguments[@]}"

needs_swift() {
  cat >&2 <<TEXT
error: $1 Weir needs Swift 6.1 or newer.
Get it from https://www.swift.org/install/linux/ (swiftly, or the tarball for your distribution),
put its usr/bin on PATH, and run this script again.
TEXT
  exit 1
}
command -v swift >/dev/null || needs_swift 'no `swift` on PATH.'
swift_version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p')
case $swift_version in
  [0-5].* | 6.0) needs_swift "\`swift\` on PATH is version $swift_version." ;;
esac

missing=()
for name in "${system_packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$install" = no ]; then
    echo "error: missing system libraries: ${missing[*]}" >&2
    echo "Install them with: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  echo "Installing missing system libraries with apt: ${missing[*]}" >&2
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
fi

# Weir's matrices are small: more BLAS threads only cost.
export OPENBLAS_NUM_THREADS=1

# Puts Python with the packages of the peers first on PATH.
use_peers() {
  install_packages requirements.txt peers
  export PATH="$PWD/Benchmarks/.build/peers/bin:$PATH"
}

# After use_peers, lets its Python find Spark, which takes 600 MB and needs Java 17 or newer.
use_spark() {
  install_packages spark-requirements.txt spark
  PYTHONPATH=$(echo "$PWD"/Benchmarks/.build/spark/lib/python3*/site-packages)
  export PYTHONPATH
}

# Installs packages of a list in Benchmarks/peers into a virtual environment unless they are there.
install_packages() {
  local list=Benchmarks/peers/$1 folder=Benchmarks/.build/$2
  cmp -s "$list" "$folder/requirements.txt" && return
  if [ "$install" = no ]; then
    echo "error: the packages of $list are not in $folder" >&2
    exit 1
  fi
  python3 -m venv --clear "$folder"
  "$folder/bin/pip" install --quiet --requirement "$list" >&2
  cp "$list" "$folder/requirements.txt"
}
