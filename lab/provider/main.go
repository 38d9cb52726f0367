// The lab's stand-in for the published kreuzwerker/docker provider: implements the subset of its 4.5.0 schema that the stacks use,
// with the same semantics and the same engine API.
package main

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/plugin"
)

func main() {
	plugin.Serve(&plugin.ServeOpts{ProviderFunc: newProvider})
}
