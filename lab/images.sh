#!/usr/bin/env bash
# images.sh KAFKA_IMAGE OPENSEARCH_IMAGE PROMETHEUS_IMAGE DOCKER_CLI_IMAGE HAPROXY_IMAGE [SECURED_OPENSEARCH_IMAGE]: builds these
# images from package registries alone and tags them as the official ones, and groundwork-lab/exporters. The last one has the security
# plugin. An image whose inputs did not change is not built again, and one that another of the lab's engines has is taken from there.
. "$(dirname "$0")/engines.sh"

kafka_image=$1
opensearch_image=$2
prometheus_image=$3
docker_cli_image=$4
haproxy_image=$5
secured_opensearch_image=${6-}
# Without BuildKit: Debian's engine builds from local images with nothing else installed.
export DOCKER_BUILDKIT=0
work=$(mktemp -d "$LAB_CACHE/images.XXXXXX")
trap 'rm -rf "$work"' EXIT

PACKAGES=busybox,ca-certificates,curl,docker-cli,haproxy,openjdk-21-jre-headless,prometheus,prometheus-elasticsearch-exporter,prometheus-node-exporter

# built IMAGE INPUTS: whether the engine has the image, made from just these inputs.
built() {
  [ "$(docker image inspect --format '{{index .Config.Labels "groundwork.lab.inputs"}}' "$1" 2>/dev/null)" = "$2" ]
}

build() {
  # A checkout may be its owner's alone; what is copied out of it the users of the image read too.
  [[ $3 != "$work"/* ]] || chmod -R go=u-w "$3"
  docker build --tag "$1" --label "groundwork.lab.inputs=$2" "$3"
}

bootstrap_rootfs() {
  local rootfs=$work/rootfs
  debootstrap --variant=minbase --include="$PACKAGES" trixie "$rootfs" "$(debian_mirror)"
  rm -rf "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* "$rootfs"/usr/share/doc "$rootfs"/usr/share/man
  # A mirror is this machine's business, not the image's.
  : >"$rootfs/etc/apt/sources.list"
  tar -C "$rootfs" -c . | docker import --change "LABEL groundwork.lab.inputs=$1" - groundwork-lab/rootfs
}

build_base() {
  cp "$LAB_DIR"/images/base/* "$work/base/"
  gcc -shared -fPIC -O2 -o "$work/base/nofile-shim.so" "$work/base/nofile-shim.c" -ldl
  build groundwork-lab/base "$1" "$work/base"
}

# jars POM VERSION-PROPERTY FOLDER: the runtime class path that a POM names.
jars() {
  mvn --batch-mode --quiet --file "$1" dependency:copy-dependencies -DincludeScope=runtime "-D$2" "-DoutputDirectory=$3"
}

# copy_artifact GROUP:ARTIFACT:VERSION[:TYPE] FOLDER: one artifact without what it depends on.
copy_artifact() {
  mvn --batch-mode --quiet dependency:copy "-Dartifact=$1" "-DoutputDirectory=$2"
}

build_kafka() {
  cp -r "$LAB_DIR"/images/kafka/. "$work/kafka/"
  jars "$work/kafka/pom.xml" "kafka.version=${kafka_image##*:}" "$work/kafka/libs"
  build "$kafka_image" "$1" "$work/kafka"
}

# opensearch_home VERSION FOLDER: what an image of OpenSearch is made from, with the modules of the official one.
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
  # Painless looks for its own resources beside these classes.
  mv "$home"/lib/opensearch-scripting-painless-spi-*.jar "$home/modules/lang-painless/"
  for jar in "$home"/lib/geolite2-databases-*.jar; do
    [ -e "$jar" ] || continue
    (cd "$home/modules/ingest-geoip" && jar --extract --file "$jar" GeoLite2-City.mmdb GeoLite2-Country.mmdb GeoLite2-ASN.mmdb)
    rm "$jar"
  done
  mkdir "$home/plugins"
}

build_opensearch() {
  opensearch_home "${opensearch_image##*:}" "$work/opensearch"
  build "$opensearch_image" "$1" "$work/opensearch"
}

# The security plugin brings other versions of what modules use: they have their own, as in the official distribution.
build_secured_opensearch() {
  local version=${secured_opensearch_image##*:} home=$work/secured_opensearch
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
  # Modules that are not on Maven Central, both optional to it.
  sed -i '/^extended.plugins=/d' "$plugin/plugin-descriptor.properties"
  build "$secured_opensearch_image" "$1" "$home"
}

build_prometheus() {
  build "$prometheus_image" "$1" "$LAB_DIR/images/prometheus"
}

build_docker_cli() {
  build "$docker_cli_image" "$1" "$LAB_DIR/images/docker-cli"
}

build_haproxy() {
  build "$haproxy_image" "$1" "$LAB_DIR/images/haproxy"
}

build_exporters() {
  cp -r "$LAB_DIR"/images/exporters/. "$work/exporters/"
  local exporter
  for exporter in cadvisor kafka-exporter; do
    CGO_ENABLED=0 go build -C "$LAB_DIR/$exporter" -trimpath -o "$work/exporters/$exporter" .
  done
  build groundwork-lab/exporters "$1" "$work/exporters"
}

# each COMMAND: calls it with NAME, TEXT, INPUTS and BUILDER of every image, those first that others are made from.
each() {
  "$1" groundwork-lab/rootfs "Debian trixie with a JRE, Prometheus and HAProxy, about a minute" "$rootfs_inputs" bootstrap_rootfs
  "$1" groundwork-lab/base "open-file shim" "$base_inputs" build_base
  "$1" "$kafka_image" "Maven Central" "$base_inputs-$(fingerprint "images/kafka")-$kafka_image" build_kafka
  "$1" "$opensearch_image" "Maven Central" "$base_inputs-$(fingerprint "images/opensearch")-$opensearch_image" build_opensearch
  if [ -n "$secured_opensearch_image" ]; then
    "$1" "$secured_opensearch_image" "Maven Central, with the security plugin" "$base_inputs-$(fingerprint "images/opensearch")-$secured_opensearch_image" build_secured_opensearch
  fi
  "$1" "$prometheus_image" "Debian's Prometheus" "$rootfs_inputs-$(fingerprint "images/prometheus")" build_prometheus
  "$1" "$docker_cli_image" "Debian's docker CLI" "$rootfs_inputs-$(fingerprint "images/docker-cli")" build_docker_cli
  "$1" "$haproxy_image" "Debian's HAProxy" "$rootfs_inputs-$(fingerprint "images/haproxy")" build_haproxy
  "$1" groundwork-lab/exporters "exporters, cAdvisor's and Kafka's from the Go module proxy" "$rootfs_inputs-$(fingerprint "images/exporters" cadvisor kafka-exporter)" build_exporters
}

note_missing() {
  built "$1" "$3" || missing+=("$1 $3")
}

# take_over: takes what is missing from the lab's other engines, as far as they have it.
take_over() {
  local name running
  running=$(engine_name)
  for name in "${ENGINES[@]}"; do
    missing=()
    each note_missing
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$name" != "${running:-bookworm}" ] && [ -d "$ENGINE_FILES/$name" ]; then
      (step "looking for ${#missing[@]} images in engine $name" take_from "$name") || say "what it has is not to be had: it is built"
    fi
  done
}

# take_from NAME: from an engine of which nothing but its images is wanted, started beside the one that runs. It has no network, since it
# would make those of its own again, and ends with this process.
take_from() {
  local name=$1 run=/run/groundwork-lab-aside one found=() status=0
  prepare_engine "$name"
  rm -rf "$run"
  mkdir "$run"
  become "$name" "setpriv --pdeathsig TERM unshare --net" --host "unix://$run/docker.sock" --exec-root "$run/exec" --pidfile "$run/docker.pid" &
  for _ in $(seq 120); do
    ! aside docker info >/dev/null 2>&1 || break
    kill -0 $! 2>/dev/null || fail "its dockerd ended while starting: remove $ENGINE_FILES/$name to go on without what it has"
    sleep 0.5
  done
  for one in "${missing[@]}"; do
    # shellcheck disable=SC2086 # a name and its inputs
    ! aside built $one || found+=("${one% *}")
  done
  if [ ${#found[@]} -gt 0 ]; then
    aside docker save "${found[@]}" | docker load || status=$?
  fi
  kill $!
  wait $! || true
  rm -rf "$run"
  return $status
}

# aside COMMAND...: with the engine that take_from has started.
aside() { PATH=$(client_of "$name"):$PATH DOCKER_HOST=unix://$run/docker.sock "$@"; }

# image NAME TEXT INPUTS BUILDER: builds an image unless it is there.
image() {
  if built "$1" "$3"; then
    say "image $1: up to date"
  else
    mkdir -p "$work/${4#build_}"
    step "building image $1 ($2)" "$4" "$3"
  fi
}

cd "$LAB_DIR"
rootfs_inputs=$(fingerprint images.sh)
base_inputs=$rootfs_inputs-$(fingerprint "images/base")
take_over
if ! built groundwork-lab/rootfs "$rootfs_inputs"; then
  apt_install debootstrap debian-archive-keyring
  command -v mvn >/dev/null || apt_install maven
  command -v gcc >/dev/null || apt_install gcc libc6-dev
fi
require_go "$LAB_DIR/cadvisor/go.mod" "the exporters"
each image
