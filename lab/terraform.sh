#!/usr/bin/env bash
# Prints the Terraform command: TERRAFORM_BINARY_NAME, else terraform or tofu from the PATH, else an OpenTofu that it builds from the Go
# module proxy.
. "$(dirname "$0")/lib.sh"

commands=(terraform tofu)
# It may be a path with spaces.
[ -z "${TERRAFORM_BINARY_NAME:-}" ] || commands=("$TERRAFORM_BINARY_NAME")
for command in "${commands[@]}"; do
  if command -v "$command" >/dev/null; then
    printf '%s\n' "$command"
    exit
  fi
done
[ -z "${TERRAFORM_BINARY_NAME:-}" ] || fail "TERRAFORM_BINARY_NAME is \"$TERRAFORM_BINARY_NAME\", which is no command: correct it, or unset it"

require_go "$LAB_DIR/opentofu/go.mod" "OpenTofu, since neither terraform nor tofu is on the PATH"
binary=$LAB_CACHE/opentofu-$(cd "$LAB_DIR/opentofu" && fingerprint .)/tofu
[ -x "$binary" ] ||
  step "building OpenTofu, once, about 3 minutes" go build -C "$LAB_DIR/opentofu" -tags lab -o "$binary" github.com/opentofu/opentofu/cmd/tofu >&2
printf '%s\n' "$binary"
