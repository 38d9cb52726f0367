#!/usr/bin/env bash
# Builds the lab's provider into a filesystem mirror, and prints the path of a Terraform CLI configuration that uses it.
. "$(dirname "$0")/lib.sh"

# The mirror has the published provider's address and version, once for the registry of Terraform and once for OpenTofu's.
version=4.5.0
require_go "$LAB_DIR/provider/go.mod" "the lab's provider"
root=$LAB_CACHE/provider-$(cd "$LAB_DIR/provider" && fingerprint .)
config=$root/terraformrc
if [ ! -f "$config" ]; then
  rm -rf "$root"
  platform=$(go env GOOS)_$(go env GOARCH)
  binary=$root/terraform-provider-docker_v$version
  step "building the lab's provider" go build -C "$LAB_DIR/provider" -o "$binary" . >&2
  for registry in registry.terraform.io registry.opentofu.org; do
    folder=$root/mirror/$registry/kreuzwerker/docker/$version/$platform
    mkdir -p "$folder"
    ln "$binary" "$folder/"
  done
  rm "$binary"
  cat >"$config" <<CONFIG
provider_installation {
  filesystem_mirror {
    path = "$root/mirror"
  }
}
CONFIG
fi
printf '%s\n' "$config"
