//go:build lab

// Package opentofu pins the OpenTofu that the lab builds where no Terraform is on the PATH: `go install` refuses a module with
// a replacement of its own.
package opentofu

import _ "github.com/opentofu/opentofu/cmd/tofu"
