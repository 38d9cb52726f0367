#!/usr/bin/env bash
# images.sh [--shared-classes] KIND=IMAGE...: builds images from package registries and tags them with the names of the official ones.
# Kinds: kafka, opensearch, secured-opensearch (with the security plugin), prometheus, docker-cli, haproxy, exporters. Skips images whose
# inputs did not change, and takes images over from the lab's other engines.
# --shared-classes  adds an archive of the classes that a JVM loads, which halves its startup time. Creating the archive takes as long as
#                   two deploys save. An image that already has one keeps it.
. "$(dirname "$0")/engines.sh"

shared_classes=""
if [ "${1-}" = --shared-classes ]; then
  shared_classes=-shared
  shift
fi
declare -A images
for argument; do
  images[${argument%%=*}]=${argument#*=}
done
# Debian's engine has no BuildKit.
export DOCKER_BUILDKIT=0
work=$(mktemp -d "$LAB_CACHE/images.XXXXXX")
trap 'rm -rf "$work"' EXIT

PACKAGES=busybox,ca-certificates,curl,docker-cli,haproxy,openjdk-21-jre-headless,prometheus,prometheus-elasticsearch-exporter,prometheus-node-exporter

# built IMAGE INPUTS: whether the engine has the image, built from these inputs.
built() {
  local inputs
  inputs=$(docker image inspect --format '{{index .Config.Labels "groundwork.lab.inputs"}}' "$1" 2>/dev/null) || return
  [ "$inputs" = "$2" ] || [ "$inputs" = "$2-shared" ]
}

# build IMAGE INPUTS FOLDER ARGUMENT...
build() {
  local image=$1 inputs=$2 folder=$3
  shift 3
  # With umask 077, only the owner of the checkout can read it, but the users in the image must.
  [[ $folder != "$work"/* ]] || chmod -R go=u-w "$folder"
  docker build --tag "$image" --label "groundwork.lab.inputs=$inputs" "$@" "$folder"
}

# build_rootfs INPUTS: builds the file system that all images start from, in its own mount namespace so that no mount survives.
build_rootfs() {
  local mirror imported
  mirror=$(debian_mirror)
  # Only this machine uses the mirror, so the image's sources.list is emptied.
  # shellcheck disable=SC2016 # expanded by mmdebstrap
  imported=$(
    unshare --mount mmdebstrap --variant=minbase --include="$PACKAGES" --dpkgopt='path-exclude=/usr/share/doc/*' \
      --dpkgopt='path-exclude=/usr/share/man/*.gz' --customize-hook='truncate --size 0 "$1/etc/apt/sources.list"' trixie - ${mirror:+"$mirror"} |
      docker import --change "LABEL groundwork.lab.inputs=$1" -
  )
  docker tag "$imported" groundwork-lab/rootfs
}

build_base() {
  cp "$LAB_DIR"/images/base/* "$work/base/"
  gcc -shared -fPIC -O2 -o "$work/base/nofile-shim.so" "$work/base/nofile-shim.c" -ldl
  build groundwork-lab/base "$1" "$work/base"
}

# jars POM VERSION-PROPERTY FOLDER: downloads the runtime class path of a POM.
jars() {
  mvn --batch-mode --quiet --file "$1" dependency:copy-dependencies -DincludeScope=runtime "-D$2" "-DoutputDirectory=$3"
}

# copy_artifact GROUP:ARTIFACT:VERSION[:TYPE] FOLDER: downloads one artifact without its dependencies.
copy_artifact() {
  mvn --batch-mode --quiet dependency:copy "-Dartifact=$1" "-DoutputDirectory=$2"
}

fetch_kafka() {
  cp -r "$LAB_DIR"/images/kafka/. "$work/kafka/"
  jars "$work/kafka/pom.xml" "kafka.version=${images[kafka]##*:}" "$work/kafka/libs"
}

build_kafka() {
  build "${images[kafka]}" "$1" "$work/kafka" --build-arg "shared_classes=$shared_classes"
}

# opensearch_home VERSION FOLDER: assembles the content of an OpenSearch image, with the modules of the official one.
opensearch_home() {
  local version=$1 home=$2 name class extends jar
  cp -r "$LAB_DIR"/images/opensearch/. "$home/"
  jars "$home/pom.xml" "opensearch.version=$version" "$home/lib"
  mv "$home/modules" "$home/modules.table"
  while read -r name class extends; do
    for jar in "$home/lib/$name-$version.jar" "$home/lib/$name-client-$version.jar"; do
      [ -e "$jar" ] || continue
      install -D --mode 0644 --target-directory "$home/modules/$name" "$jar"
      rm "$jar"
      printf '%s\n' "name=$name" "description=$name" "version=$version" "opensearch.version=$version" java.version=21 \
        "classname=$class" "extended.plugins=$extends" has.native.controller=false >"$home/modules/$name/plugin-descriptor.properties"
    done
  done < <(grep -v '^#' "$home/modules.table")
  # Painless looks for its resources next to these classes.
  mv "$home"/lib/opensearch-scripting-painless-spi-*.jar "$home/modules/lang-painless/"
  for jar in "$home"/lib/geolite2-databases-*.jar; do
    [ -e "$jar" ] || continue
    (cd "$home/modules/ingest-geoip" && jar --extract --file "$jar" GeoLite2-City.mmdb GeoLite2-Country.mmdb GeoLite2-ASN.mmdb)
    rm "$jar"
  done
  mkdir "$home/plugins"
}

fetch_opensearch() {
  opensearch_home "${images[opensearch]##*:}" "$work/opensearch"
}

build_opensearch() {
  build "${images[opensearch]}" "$1" "$work/opensearch" --build-arg "shared_classes=$shared_classes"
}

# The security plugin brings other versions of libraries that modules use, so modules get their own, as in the official distribution.
fetch_secured_opensearch() {
  local version=${images[secured-opensearch]##*:} home=$work/secured_opensearch
  local plugin=$home/plugins/opensearch-security
  opensearch_home "$version" "$home"
  mv "$home"/lib/netty-*.jar "$home/modules/transport-netty4/"
  mv "$home"/lib/{commons-codec,commons-logging,httpclient5,httpcore5,opensearch-rest-client,slf4j-api}-*.jar "$home/modules/reindex/"
  mv "$home"/lib/compiler-*.jar "$home/modules/lang-mustache/"
  cp "$home"/lib/asm-*.jar "$home/modules/lang-expression/"
  mv "$home"/lib/asm-*.jar "$home/modules/lang-painless/"
  mkdir "$plugin"
  copy_artifact "org.opensearch.plugin:opensearch-security:$version.0:zip" "$work"
  (cd "$plugin" && jar --extract --file "$work/opensearch-security-$version.0.zip")
  copy_artifact org.apache.commons:commons-collections4:4.5.0 "$plugin"
  # The plugin extends two modules that are not on Maven Central. Both are optional.
  sed -i '/^extended.plugins=/d' "$plugin/plugin-descriptor.properties"
}

build_secured_opensearch() {
  build "${images[secured-opensearch]}" "$1" "$work/secured_opensearch" --build-arg "shared_classes=$shared_classes"
}

build_prometheus() {
  build "${images[prometheus]}" "$1" "$LAB_DIR/images/prometheus"
}

build_docker_cli() {
  build "${images[docker-cli]}" "$1" "$LAB_DIR/images/docker-cli"
}

build_haproxy() {
  build "${images[haproxy]}" "$1" "$LAB_DIR/images/haproxy"
}

fetch_exporters() {
  cp -r "$LAB_DIR"/images/exporters/. "$work/exporters/"
  local exporter
  for exporter in cadvisor kafka-exporter; do
    CGO_ENABLED=0 go build -C "$LAB_DIR/$exporter" -o "$work/exporters/$exporter" .
  done
}

build_exporters() {
  build "${images[exporters]}" "$1" "$work/exporters"
}

# inputs_of KIND: a hash of what an image is made from.
inputs_of() {
  case $1 in
    rootfs) printf '%s\n' "$rootfs_inputs" ;;
    base) printf '%s\n' "$base_inputs" ;;
    kafka) printf '%s\n' "$base_inputs-$(fingerprint images/kafka)-${images[kafka]}$shared_classes" ;;
    opensearch | secured-opensearch) printf '%s\n' "$base_inputs-$(fingerprint images/opensearch)-${images[$1]}$shared_classes" ;;
    exporters) printf '%s\n' "$rootfs_inputs-$(fingerprint images/exporters cadvisor kafka-exporter)" ;;
    *) printf '%s\n' "$rootfs_inputs-$(fingerprint "images/$1")" ;;
  esac
}
# name_of KIND: the name of the image.
name_of() {
  case $1 in
    rootfs | base) printf 'groundwork-lab/%s\n' "$1" ;;
    *) printf '%s\n' "${images[$1]}" ;;
  esac
}

# missing KIND...: the kinds whose image the engine does not have.
missing() {
  local kind
  for kind; do
    built "$(name_of "$kind")" "$(inputs_of "$kind")" || printf '%s\n' "$kind"
  done
}

# take_over: copies missing images from the lab's other engines.
take_over() {
  local name running wanted
  running=$(engine_name)
  for name in "${ENGINES[@]}"; do
    mapfile -t wanted < <(missing "${kinds[@]}")
    [ ${#wanted[@]} -gt 0 ] || return 0
    if [ "$name" != "${running:-bookworm}" ] && [ -d "$ENGINE_FILES/$name" ]; then
      (step "looking for missing images (${#wanted[@]}) in engine $name" take_from "$name" "${wanted[@]}") &
      wait $! || say "cannot copy images from engine $name: the lab builds them"
    fi
  done
}

# take_from NAME KIND...: starts another engine beside the running one and copies its images. It has no network, or it would create its
# networks again on this machine. It ends with this process.
take_from() {
  local name=$1 run=/run/groundwork-lab-aside kind found=() status=0
  shift
  prepare_engine "$name"
  rm -rf "$run"
  mkdir "$run"
  become "$name" "setpriv --pdeathsig TERM unshare --net" --host "unix://$run/docker.sock" --exec-root "$run/exec" --pidfile "$run/docker.pid" &
  for _ in $(seq 120); do
    ! aside docker info >/dev/null 2>&1 || break
    kill -0 $! 2>/dev/null || fail "dockerd of engine $name exited during startup: remove $ENGINE_FILES/$name to continue without its images"
    sleep 0.5
  done
  for kind; do
    ! aside built "$(name_of "$kind")" "$(inputs_of "$kind")" || found+=("$(name_of "$kind")")
  done
  if [ ${#found[@]} -gt 0 ]; then
    aside docker save "${found[@]}" | docker load || status=$?
  fi
  kill $!
  wait $! || true
  rm -rf "$run"
  return $status
}

# aside COMMAND...: runs a command against the engine that take_from started.
aside() { PATH=$(client_of "$name"):$PATH DOCKER_HOST=unix://$run/docker.sock "$@"; }

# The sources of each kind, and how long a slow one takes on two CPUs.
declare -A SOURCES=(
  [rootfs]="Debian trixie with a JRE, about half a minute" [base]="open-file shim"
  [kafka]="Maven Central" [opensearch]="Maven Central" [secured-opensearch]="Maven Central, with the security plugin"
  [prometheus]="Debian" [docker-cli]="Debian" [haproxy]="Debian"
  [exporters]="cAdvisor and kafka_exporter, Go module proxy"
)

# fetch KIND: downloads the inputs of an image, if it has any outside this folder.
fetch() {
  [ "$(type -t "fetch_${1//-/_}")" = function ] || return 0
  mkdir -p "$work/${1//-/_}"
  step "fetching the inputs of image $(name_of "$1") (${SOURCES[$1]})" "fetch_${1//-/_}"
}

# assemble KIND: builds an image.
assemble() {
  mkdir -p "$work/${1//-/_}"
  step "building image $(name_of "$1") (${SOURCES[$1]})" "build_${1//-/_}" "$(inputs_of "$1")"
}

# assemble_bases: builds the images that the others are built on.
assemble_bases() {
  local kind
  for kind in $(missing rootfs base); do
    assemble "$kind"
  done
}

# side_by_side COMMAND...: runs all commands in parallel, and fails if one of them fails.
side_by_side() {
  local command pids=() pid status=0
  for command; do
    # In a subshell, so that Ctrl-C ends it too.
    # shellcheck disable=SC2086 # a command and its argument
    ($command) &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || status=$?
  done
  return $status
}

cd "$LAB_DIR"
rootfs_inputs=$(fingerprint images.sh)
base_inputs=$rootfs_inputs-$(fingerprint "images/base")
kinds=(rootfs base "${!images[@]}")
take_over
mapfile -t wanted < <(missing "${!images[@]}")
if [ ${#wanted[@]} = 0 ]; then
  say "images are up to date: ${images[*]}"
  exit
fi
[ -z "$(missing rootfs base)" ] || apt_install mmdebstrap debian-archive-keyring
command -v mvn >/dev/null || apt_install maven
command -v gcc >/dev/null || apt_install gcc libc6-dev
[[ " ${wanted[*]} " != *" exporters "* ]] || require_go "$LAB_DIR/cadvisor/go.mod" "the exporters"
side_by_side assemble_bases "${wanted[@]/#/fetch }"
side_by_side "${wanted[@]/#/assemble }"
