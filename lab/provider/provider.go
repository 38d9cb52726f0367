package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func newProvider() *schema.Provider {
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"host": {
				Type:        schema.TypeString,
				Optional:    true,
				Description: "The address of the Docker engine. Defaults to DOCKER_HOST, else to the local socket.",
			},
		},
		ResourcesMap: map[string]*schema.Resource{
			"docker_container": resourceContainer(),
			"docker_image":     resourceImage(),
			"docker_network":   resourceNetwork(),
			"docker_volume":    resourceVolume(),
		},
		DataSourcesMap: map[string]*schema.Resource{
			"docker_network": dataSourceNetwork(),
		},
		ConfigureContextFunc: configure,
	}
}

func configure(ctx context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
	engine, err := newEngine(d.Get("host").(string))
	if err != nil {
		return nil, diag.FromErr(err)
	}
	if _, err := engine.Ping(ctx); err != nil {
		return nil, diag.FromErr(fmt.Errorf("error pinging Docker server, make sure that %s is reachable: %w", engine.DaemonHost(), err))
	}
	return engine, nil
}

// newEngine connects to host, which may be a socket, a TCP address or ssh://, as in DOCKER_HOST.
func newEngine(host string) (*client.Client, error) {
	if host == "" {
		host = os.Getenv("DOCKER_HOST")
	}
	options := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if strings.HasPrefix(host, "ssh://") {
		helper, err := connhelper.GetConnectionHelper(host)
		if err != nil {
			return nil, err
		}
		transport := &http.Transport{DialContext: helper.Dialer}
		options = []client.Opt{
			client.WithHTTPClient(&http.Client{Transport: transport}),
			client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer),
			client.WithAPIVersionNegotiation(),
		}
	} else if host != "" {
		options = append(options, client.WithHost(host))
	}
	return client.NewClientWithOpts(options...)
}

// labelSchema returns the same set of label blocks as the published provider, including ForceNew.
func labelSchema() *schema.Schema {
	return &schema.Schema{
		Type:     schema.TypeSet,
		Optional: true,
		ForceNew: true,
		Elem: &schema.Resource{Schema: map[string]*schema.Schema{
			"label": {Type: schema.TypeString, Required: true, ForceNew: true},
			"value": {Type: schema.TypeString, Required: true, ForceNew: true},
		}},
	}
}

func labelsOf(d *schema.ResourceData) map[string]string {
	labels := map[string]string{}
	for _, raw := range d.Get("labels").(*schema.Set).List() {
		block := raw.(map[string]any)
		labels[block["label"].(string)] = block["value"].(string)
	}
	return labels
}

func labelBlocks(labels map[string]string) []any {
	blocks := make([]any, 0, len(labels))
	for label, value := range labels {
		blocks = append(blocks, map[string]any{"label": label, "value": value})
	}
	return blocks
}

func stringsOf(raw []any) []string {
	values := make([]string, len(raw))
	for i, value := range raw {
		values[i], _ = value.(string)
	}
	return values
}

func stringMapOf(raw map[string]any) map[string]string {
	values := make(map[string]string, len(raw))
	for key, value := range raw {
		values[key] = value.(string)
	}
	return values
}
