#!/usr/bin/env bash
# images.sh KAFKA_IMAGE OPENSEARCH_IMAGE PROMETHEUS_IMAGE DOCKER_CLI_IMAGE: builds these images from package registries alone and
# tags them as the official ones, and groundwork-lab/exporters. An image whose inputs did not change is not built again.
. "$(dirname "$0")/lib.sh"

kafka_image=$1
opensearch_image=$2
prometheus_image=$3
docker_cli_image=$4
# Without BuildKit: Debian's engine builds from local images with nothing else installed.
export DOCKER_BUILDKIT=0
work=$(mktemp -d "$LAB_CACHE/images.XXXXXX")
trap 'rm -rf "$work"' EXIT

PACKAGES=ca-certificates,curl,docker-cli,openjdk-21-jre-headless,prometheus,prometheus-elasticsearch-exporter,prometheus-node-exporter

# built IMAGE INPUTS: whether the engine has the image, made from just these inputs.
built() {
  [ "$(docker image inspect --format '{{index .Config.Labels "groundwork.lab.inputs"}}' "$1" 2>/dev/null)" = "$2" ]
}

build() {
  docker build --tag "$1" --label "groundwork.lab.inputs=$2" "$3"
}

bootstrap_rootfs() {
  local rootfs=$work/rootfs mirror
  # The mirror that this machine's apt uses; debootstrap's own default where apt names none.
  # shellcheck disable=SC2016 # apt's own placeholders
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
  # shellcheck disable=SC2086
  debootstrap --variant=minbase --include="$PACKAGES" trixie "$rootfs" $mirror
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

build_kafka() {
  cp -r "$LAB_DIR"/images/kafka/. "$work/kafka/"
  jars "$work/kafka/pom.xml" "kafka.version=${kafka_image##*:}" "$work/kafka/libs"
  build "$kafka_image" "$1" "$work/kafka"
}

build_opensearch() {
  local version=${opensearch_image##*:} module=$work/opensearch/modules/transport-netty4
  cp -r "$LAB_DIR"/images/opensearch/. "$work/opensearch/"
  jars "$work/opensearch/pom.xml" "opensearch.version=$version" "$work/opensearch/lib"
  mkdir -p "$module"
  mv "$work"/opensearch/lib/transport-netty4-client-*.jar "$module/"
  sed "s/@VERSION@/$version/" "$work/opensearch/plugin-descriptor.properties" >"$module/plugin-descriptor.properties"
  build "$opensearch_image" "$1" "$work/opensearch"
}

build_prometheus() {
  build "$prometheus_image" "$1" "$LAB_DIR/images/prometheus"
}

build_docker_cli() {
  build "$docker_cli_image" "$1" "$LAB_DIR/images/docker-cli"
}

build_exporters() {
  cp -r "$LAB_DIR"/images/exporters/. "$work/exporters/"
  CGO_ENABLED=0 go build -C "$LAB_DIR/cadvisor" -trimpath -o "$work/exporters/cadvisor" .
  build groundwork-lab/exporters "$1" "$work/exporters"
}

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
if ! built groundwork-lab/rootfs "$rootfs_inputs"; then
  apt_install debootstrap debian-archive-keyring
  command -v mvn >/dev/null || apt_install maven
  command -v gcc >/dev/null || apt_install gcc libc6-dev
fi
image groundwork-lab/rootfs "Debian trixie with a JRE and Prometheus, about a minute" "$rootfs_inputs" bootstrap_rootfs
image groundwork-lab/base "open-file shim" "$base_inputs" build_base
image "$kafka_image" "Maven Central" "$base_inputs-$(fingerprint "images/kafka")-$kafka_image" build_kafka
image "$opensearch_image" "Maven Central" "$base_inputs-$(fingerprint "images/opensearch")-$opensearch_image" build_opensearch
image "$prometheus_image" "Debian's Prometheus" "$rootfs_inputs-$(fingerprint "images/prometheus")" build_prometheus
image "$docker_cli_image" "Debian's docker CLI" "$rootfs_inputs-$(fingerprint "images/docker-cli")" build_docker_cli
require_go "$LAB_DIR/cadvisor/go.mod" "cAdvisor"
image groundwork-lab/exporters "exporters, cAdvisor from the Go module proxy" "$rootfs_inputs-$(fingerprint "images/exporters" cadvisor)" build_exporters
