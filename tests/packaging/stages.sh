# The stages of tests/packaging/run, which reads this file.
# shellcheck shell=bash disable=SC2154

say() { printf '%s\n' "   $*"; }
stage() { printf '%s\n' "-- $*"; }
fail() { printf '%s\n' "FAILED: $*" >&2; exit 1; }

# Runs the program without the caller's environment.
bare() { env -i PATH="$PATH" "$@"; }

journey() { python3 "$here/../metrics/journey.py" "$@"; }

free_ports() {
  python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(socket.getsockname()[1] for socket in sockets))' "$1"
}

# Waits until the process is gone, 30 seconds at most, and returns its status.
ended() {
  for ((attempt = 0; attempt < 300; attempt++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -0 "$1" 2>/dev/null || fail "process $1 runs on after SIGTERM"
  unset "processes[$1]"
  wait "$1"
}

settings() {
  stage "every setting is in countersign.toml, and the schema takes what the program takes"
  bare "$python" "$here/check_settings.py" "$binary" "$packaging"
}

unit() {
  stage "the systemd unit"
  # As it is installed: with a program at its place.
  mkdir -p "$place/unit/usr/bin" "$place/unit/usr/lib/systemd/system"
  for program in usr/bin/countersign bin/kill; do install -D -m 755 /bin/true "$place/unit/$program"; done
  cp "$packaging/systemd/countersign.service" "$place/unit/usr/lib/systemd/system/"
  cp -r /usr/lib/systemd/system/*.target "$place/unit/usr/lib/systemd/system/"
  systemd-analyze verify --root="$place/unit" --man=no countersign.service 2>"$place/verify.log" ||
    fail "systemd-analyze verify: $(cat "$place/verify.log")"
  ! grep countersign "$place/verify.log" || fail "systemd-analyze verify says something about the unit"
  # Tenths: 0 is the best, 100 the worst. As systemd 252 counts.
  systemd-analyze security --offline=yes --threshold=11 "$packaging/systemd/countersign.service" >"$place/security.log" ||
    fail "the exposure of the unit is above 1.1"
  say "$(grep -o 'Overall exposure level.*' "$place/security.log")"
}

package() {
  stage "the Debian package"
  DPKG_DEB_COMPRESSOR_TYPE=none "$packaging/deb/build" "$binary" "$place/countersign.deb"
  DPKG_DEB_COMPRESSOR_TYPE=none "$packaging/deb/build" "$binary" "$place/again.deb"
  cmp "$place/countersign.deb" "$place/again.deb" || fail "the same commit and binary make different packages"
  rm "$place/again.deb"
  dpkg --info "$place/countersign.deb" >"$place/info"
  dpkg --contents "$place/countersign.deb" >"$place/contents"
  for field in "Package: countersign" "Architecture: $(dpkg --print-architecture)" "Version: [0-9].*-1$" "Depends: .*systemd"; do
    grep -q "^ $field" "$place/info" || fail "the package lacks \`$field\`: $(cat "$place/info")"
  done
  grep -q '^ Depends: .*libc6 (>= ' "$place/info" || ! ldd "$binary" >/dev/null 2>&1 || fail "the package needs a libc that it does not name"
  ! awk '$2 != "root/root"' "$place/contents" | grep . || fail "not everything in the package is root's"
  for file in usr/bin/countersign etc/countersign/countersign.toml usr/lib/systemd/system/countersign.service \
    usr/lib/sysusers.d/countersign.conf usr/share/man/man1/countersign.1.gz usr/share/man/man1/countersign-user-unlock.1.gz \
    usr/share/bash-completion/completions/countersign usr/share/zsh/vendor-completions/_countersign \
    usr/share/fish/vendor_completions.d/countersign.fish usr/share/doc/countersign/copyright \
    usr/share/doc/countersign/notices.gz usr/share/doc/countersign/changelog.gz; do
    grep -q " ./$file$" "$place/contents" || fail "the package lacks $file"
  done
  say "built twice, the same; $(sed -n 's/^ \(Depends: .*\)/\1/p' "$place/info")"
}

image() {
  stage "the image, on a read-only root without /tmp, /proc and /dev"
  mkdir "$place/context"
  ! "$packaging/image/assemble" "$binary" "$place/context/loads" 2>/dev/null || fail "an image is made of a binary that loads libraries"
  rm -r "$place/context/loads"
  "$packaging/image/assemble" "$static_binary" "$place/context/image"
  root=$place/context/image
  if command -v buildah >/dev/null; then
    # The last stage of the recipe; the one before it is a cargo build, whose result is here already.
    sed -n '/^FROM scratch/,$p' "$packaging/image/Containerfile" >"$place/Containerfile"
    store=(buildah --root "$place/images" --runroot "$place/images-run" --storage-driver vfs)
    mkdir "$place/empty"
    "${store[@]}" bud --isolation chroot --build-context build="$place/context" -f "$place/Containerfile" -t countersign "$place/empty" \
      >"$place/buildah.log" 2>&1 || fail "the Containerfile cannot be built"
    container=$("${store[@]}" from --pull-never localhost/countersign)
    root=$("${store[@]}" mount "$container")
    "${store[@]}" inspect --type image --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.StopSignal}}' \
      localhost/countersign >"$place/config"
    [ "$(cat "$place/config")" = "65532:65532 [/usr/bin/countersign] SIGTERM" ] || fail "the image's configuration is $(cat "$place/config")"
    say "built by buildah: $(cat "$place/config"), $(du -sh "$root" | cut -f 1)"
  else
    unchecked+=("that the Containerfile builds: no buildah")
  fi
  [ "$(find "$root" -type f -perm /111 -printf '/%P\n')" = /usr/bin/countersign ] && [ ! -e "$root/tmp" ] ||
    fail "the image has more programs than one, or a /tmp"
  [ "$(stat -c '%u %a' "$root/data")" = "65532 700" ] || fail "/data is not the user's alone"
  unshare --mount true 2>/dev/null || { unchecked+=("the image on a read-only root: no mount namespaces here"); return 0; }

  read -r api operations < <(free_ports 2)
  mkdir -m 700 "$place/data"
  (umask 077 && bare "$binary" generate-keyring >"$place/keyring")
  chown 65532:65532 "$place/data" "$place/keyring"
  mkdir -p "$root/run/secrets" && touch "$root/run/secrets/keyring"
  # The mounts are in a namespace that ends with the process. Each program is replaced by the next, so the process is the server.
  in_image=(unshare --mount sh -euc 'root=$1 data=$2 keyring=$3
    shift 3
    mount --bind "$root" "$root"
    mount --bind "$data" "$root/data"
    mount --bind "$keyring" "$root/run/secrets/keyring"
    mount -o remount,bind,ro "$root"
    mount -o remount,bind,ro "$root/run/secrets/keyring"
    cd "$root"
    exec env -i "$@"' sh "$root" "$place/data" "$place/keyring"
    COUNTERSIGN_DATA_DIR=/data COUNTERSIGN_KEYRING=/run/secrets/keyring COUNTERSIGN_LISTEN=127.0.0.1:"$api"
    COUNTERSIGN_OPERATIONS_LISTEN=127.0.0.1:"$operations"
    "$(command -v chroot)" --userspec=65532:65532 --groups= "$root" /usr/bin/countersign)
  "${in_image[@]}" serve >"$place/image-screen" 2>"$place/image.log" &
  server=$!
  processes[$server]=1
  journey wait "http://127.0.0.1:$operations/readyz" >/dev/null
  [ "$(awk '/^Uid:/ {print $2}' "/proc/$server/status")" = 65532 ] || fail "the server is not user 65532"
  ! nsenter --mount --target "$server" touch "$root/written" 2>/dev/null || fail "the root can be written to"
  journey sign-in "http://127.0.0.1:$api"
  # Sorts and long results, for which SQLite might want temporary files.
  "${in_image[@]}" stats --json >"$place/stats" || fail "stats"
  "${in_image[@]}" audit export >"$place/audit" || fail "audit export"
  "${in_image[@]}" user export ada@example.com >"$place/export" || fail "user export"
  grep -q ada@example.com "$place/export" || fail "the export has no user"
  kill -TERM "$server"
  ended "$server" || fail "the server did not end with status 0"
  grep -q stopped "$place/image.log" || fail "the server did not stop in order"
  ! grep -iE 'CRITICAL|ERROR|read-only' "$place/image.log" || fail "errors in the log"
  ! find "$place/data" -type f -perm /077 | grep . || fail "others can read what is stored"
  say "signed up, enrolled, signed in, exported, stopped by SIGTERM; in /data: $(find "$place/data" -type f -printf '%f\n' | sort | tr '\n' ' ')"
  [ -z "${container:-}" ] || "${store[@]}" rm "$container" >/dev/null
}

as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }

# A PostgreSQL of its own; sets `database_url`, whose last part is a database to be made by `new_database`.
postgres() {
  cluster=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -name '[0-9]*' | sort -V | tail -n 1)
  [ -n "$cluster" ] || fail "PostgreSQL is not installed"
  install -d -o postgres -g postgres -m 700 "$place/cluster"
  read -r port < <(free_ports 1)
  password=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  (umask 077 && echo "$password" >"$place/cluster/password") && chown postgres "$place/cluster/password"
  as_postgres "$cluster/bin/initdb" --no-sync --username=countersign --auth=scram-sha-256 --encoding=UTF8 --locale=C \
    --pwfile="$place/cluster/password" --pgdata="$place/cluster/data" >"$place/initdb.log"
  as_postgres "$cluster/bin/pg_ctl" -D "$place/cluster/data" -w -t 60 -l "$place/cluster/log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$place/cluster -c fsync=off" start >"$place/pg.log"
  database_server=postgres://countersign:$password@127.0.0.1:$port
  for name in kubernetes compose; do
    PGPASSWORD=$password psql -qX -h 127.0.0.1 -p "$port" -U countersign -d postgres -c "CREATE DATABASE $name"
  done
}

manifests() {
  stage "the Kubernetes manifest: its schema, and its environment on PostgreSQL"
  for version in 1.30 1.37; do
    "$(dirname "$python")/kubernetes-validate" --strict --quiet -k $version "$packaging/kubernetes/countersign.yaml" "$packaging/kubernetes/secret.yaml" ||
      fail "the manifest is not valid in Kubernetes $version"
  done
  postgres
  bare "$python" "$here/check_kubernetes.py" "$binary" "$packaging/kubernetes/countersign.yaml" "$database_server/kubernetes"

  stage "the compose file, and nginx in front of the server"
  (cd "$packaging/compose" && POSTGRES_PASSWORD=hunter2 docker-compose -f compose.yaml config) >"$place/compose.yaml" ||
    fail "docker-compose refuses the file"
  mkdir "$place/tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=id.example.com \
    -addext subjectAltName=DNS:id.example.com -keyout "$place/tls/key.pem" -out "$place/tls/fullchain.pem" 2>"$place/openssl.log"
  bare "$python" "$here/check_compose.py" "$binary" "$place/compose.yaml" "$packaging/compose/nginx.conf" "$database_server/compose" "$place"
}

# Runs a command in the machine of `under_systemd`.
inside() { nsenter --all --target "$leader" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
state() { inside systemctl show --value --property "$1" countersign.service; }
# Waits until a property of the service has a value.
until_state() {
  for ((attempt = 0; attempt < 150; attempt++)); do
    [ "$(state "$1")" != "$2" ] || return 0
    sleep 0.2
  done
  inside journalctl --no-pager -u countersign.service | tail -n 30
  fail "$1 of countersign.service is $(state "$1"), not $2"
}
# Read to the end, because a program that is not is ended by SIGPIPE, which fails the pipeline.
logged() { inside journalctl --no-pager -o cat -u countersign.service | grep "$1" >/dev/null; }
ready() { inside "$system_python" /test/journey.py wait http://127.0.0.1:3000/readyz >/dev/null; }

# The groups that systemd-nspawn makes for the processes of the container and for its own, in this process' own group.
container_groups() {
  sed -nE 's/^([0-9]+):(name=systemd)?:/\1 /p' /proc/self/cgroup | while read -r hierarchy path; do
    base=/sys/fs/cgroup
    [ "$hierarchy" = 0 ] || base=$base/systemd
    [ "$hierarchy" != 0 ] || [ ! -d $base/unified ] || base=$base/unified
    for name in payload supervisor; do [ ! -d "$base$path/$name" ] || echo "$base$path/$name"; done
  done
}

# This machine's own system as a lower layer, with another one's changes above it, in a container that systemd starts.
under_systemd() {
  stage "installed, run, upgraded and removed under systemd"
  mkdir "$place/layer"
  if ! command -v systemd-nspawn >/dev/null || ! mount -t tmpfs -o size=2g,mode=755 tmpfs "$place/layer" 2>/dev/null; then
    unchecked+=("the package under systemd: no systemd-nspawn, or no mounts")
    return 0
  fi
  mounts+=("$place/layer")
  machine=$place/layer/machine
  mkdir "$place/layer/upper" "$place/layer/work" "$machine"
  if ! mount -t overlay overlay -o "lowerdir=/,upperdir=$place/layer/upper,workdir=$place/layer/work" "$machine" 2>/dev/null; then
    unchecked+=("the package under systemd: no overlay file system")
    return 0
  fi
  mounts+=("$machine")
  # Keeps services from being started, where images are built.
  rm -f "$machine/usr/sbin/policy-rc.d"
  mkdir "$machine/test"
  cp "$place/countersign.deb" "$here/../metrics/journey.py" "$machine/test/"
  system_python=$(python3 -c 'import sys; print(sys.executable)')

  # As where an image is built: nothing is running that could start it.
  chroot "$machine" dpkg --install /test/countersign.deb >"$place/chroot.log" 2>&1 || fail "dpkg --install in a chroot: $(cat "$place/chroot.log")"
  chroot "$machine" dpkg --purge countersign >>"$place/chroot.log" 2>&1 || fail "dpkg --purge in a chroot: $(cat "$place/chroot.log")"
  rm -r "$machine/etc/countersign"

  groups=$(container_groups)
  [ -n "$groups" ] || remove_groups=1
  systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe --directory="$machine" --boot \
    systemd.unit=basic.target </dev/null >"$place/machine.log" 2>&1 &
  container_process=$!
  processes[$container_process]=1
  for ((attempt = 0; attempt < 150; attempt++)); do
    leader=$(pgrep -P "$container_process" | head -n 1 || true)
    [ -z "$leader" ] || ! inside systemctl is-active basic.target >/dev/null 2>&1 || break
    if ! kill -0 "$container_process" 2>/dev/null || [ "$attempt" = 149 ]; then
      unchecked+=("the package under systemd, which does not start here: $(tail -n 1 "$place/machine.log")")
      return 0
    fi
    sleep 0.2
  done

  inside dpkg --install /test/countersign.deb >"$place/install.log" 2>&1 || fail "dpkg --install: $(cat "$place/install.log")"
  grep -q "created /etc/countersign/keyring" "$place/install.log" || fail "the keyring is not mentioned"
  until_state ActiveState active
  ready
  [ "$(inside stat -c '%U:%G %a' /etc/countersign/keyring)" = "root:root 600" ] || fail "the keyring is not root's alone"
  [ "$(inside stat -c '%U:%G %a' /etc/countersign/countersign.toml)" = "root:countersign 640" ] || fail "the owner of countersign.toml"
  [ "$(inside stat -c '%U:%G %a' /var/lib/countersign)" = "countersign:countersign 700" ] || fail "the owner of the data"
  ! inside find /var/lib/countersign -type f -perm /077 | grep . || fail "others can read what is stored"
  logged "Keys .*/keyring" || fail "the first screen does not name the credential"
  main=$(state MainPID)
  inside sed -nE 's/^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):\s*([0-9a-f]+).*/\1=\2/p' "/proc/$main/status" | sort >"$place/status"
  [ "$(tr '\n' ' ' <"$place/status")" = "CapBnd=0000000000000000 CapEff=0000000000000000 NoNewPrivs=1 Seccomp=2 Uid=$(inside id -u countersign) " ] ||
    fail "the process is not confined: $(cat "$place/status")"
  inside systemd-analyze security --threshold=11 countersign.service >"$place/security.log" || fail "the exposure of the unit is above 1.1"
  # What the unit takes away does not stop the server from serving.
  inside "$system_python" /test/journey.py sign-in http://127.0.0.1:3000
  say "installed and started by dpkg, confined, two-factor sign-in; $(tr '\n' ' ' <"$place/status")"

  # Administration by root, beside the server, which goes on writing afterwards.
  inside env COUNTERSIGN_CONFIG=/etc/countersign/countersign.toml countersign user list >"$place/users" || fail "countersign user list"
  grep -q ada@example.com "$place/users" || fail "the user is not listed"
  inside env COUNTERSIGN_CONFIG=/etc/countersign/countersign.toml countersign user unlock ada@example.com >/dev/null || fail "countersign user unlock"
  ! inside find /var/lib/countersign -not -user countersign | grep . || fail "a command has left files of root's"
  inside systemctl reload countersign.service || fail "systemctl reload"
  for ((attempt = 0; attempt < 50; attempt++)); do
    ! logged "read the configuration again" || break
    sleep 0.1
  done
  logged "read the configuration again" || fail "nothing was read again on reload"
  [ "$(state MainPID)" = "$main" ] || fail "a reload has restarted the server"
  [ "$(state StartLimitIntervalUSec)" = 0 ] || fail "systemd gives up after some starts, such as while a database is away"
  inside kill -KILL "$main"
  until_state NRestarts 1
  until_state ActiveState active
  ready
  say "user list, unlock, reload, restarted after kill -9"

  before=$(inside sha256sum /etc/countersign/keyring)
  main=$(state MainPID)
  inside dpkg --install /test/countersign.deb >"$place/install.log" 2>&1 || fail "dpkg --install over itself: $(cat "$place/install.log")"
  until_state ActiveState active
  [ "$(state MainPID)" != "$main" ] || fail "an upgrade leaves the old program running"
  [ "$(inside sha256sum /etc/countersign/keyring)" = "$before" ] || fail "an upgrade has replaced the keyring"
  ready
  inside systemctl disable --now countersign.service 2>/dev/null
  # Without the server, a command makes files of the database itself, and leaves none that the server could not write.
  inside env COUNTERSIGN_CONFIG=/etc/countersign/countersign.toml countersign user unlock ada@example.com >/dev/null || fail "countersign user unlock"
  ! inside find /var/lib/countersign -not -user countersign | grep . || fail "a command has left files of root's"
  inside dpkg --install /test/countersign.deb >"$place/install.log" 2>&1 || fail "dpkg --install of a disabled service"
  [ "$(state ActiveState) $(state UnitFileState)" = "inactive disabled" ] || fail "an upgrade starts what was disabled"
  inside systemctl enable countersign.service 2>/dev/null

  # A mistake in the configuration is not tried again and again.
  inside sh -c 'echo "listne = \"x\"" >/etc/countersign/broken.toml
    mkdir -p /run/systemd/system/countersign.service.d
    printf "[Service]\nEnvironment=COUNTERSIGN_CONFIG=/etc/countersign/broken.toml\n" >/run/systemd/system/countersign.service.d/broken.conf
    systemctl daemon-reload'
  inside systemctl start countersign.service 2>/dev/null || true
  until_state ActiveState failed
  [ "$(state NRestarts) $(state ExecMainStatus)" = "0 2" ] || fail "a mistake in the configuration is tried $(state NRestarts) times more"
  inside sh -c 'rm -r /etc/countersign/broken.toml /run/systemd/system/countersign.service.d; systemctl daemon-reload; systemctl reset-failed'
  inside systemctl start countersign.service
  ready
  say "upgraded, a disabled one stays so, exit status 2 is final"

  inside dpkg --remove countersign >"$place/remove.log" 2>&1 || fail "dpkg --remove: $(cat "$place/remove.log")"
  [ -z "$(inside pgrep -x countersign || true)" ] || fail "the server outlives its package"
  inside test ! -e /usr/bin/countersign -a -e /etc/countersign/countersign.toml -a -s /var/lib/countersign/countersign.db || fail "what is left after --remove"
  inside dpkg --install /test/countersign.deb >"$place/install.log" 2>&1 || fail "dpkg --install after --remove"
  until_state ActiveState active
  ready
  inside env COUNTERSIGN_CONFIG=/etc/countersign/countersign.toml countersign user show ada@example.com >/dev/null || fail "the user is gone"
  inside dpkg --purge countersign >"$place/purge.log" 2>&1 || fail "dpkg --purge: $(cat "$place/purge.log")"
  grep -q "rm -r /var/lib/countersign /etc/countersign" "$place/purge.log" || fail "--purge does not say what it keeps: $(cat "$place/purge.log")"
  [ "$(inside sha256sum /etc/countersign/keyring)" = "$before" ] && inside test -s /var/lib/countersign/countersign.db || fail "--purge has deleted keys or accounts"
  [ "$(inside ls /etc/countersign)" = keyring ] || fail "--purge leaves $(inside ls /etc/countersign)"
  [ "$(state LoadState)" = not-found ] || fail "--purge leaves the unit"
  ! inside find /usr /etc /var -xdev -path '*systemd*' -name '*countersign*' | grep . || fail "--purge leaves something of systemd's"
  say "removed and installed again with its accounts, purged: $(grep '^countersign:' "$place/purge.log")"
  # On SIGTERM, nspawn has the system halt in order.
  kill "$container_process"
  ended "$container_process" || true
}
