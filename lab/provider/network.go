package main

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/errdefs"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func resourceNetwork() *schema.Resource {
	return &schema.Resource{
		SchemaVersion: 1,
		CreateContext: createNetwork,
		ReadContext:   readNetwork,
		DeleteContext: deleteNetwork,
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
		Schema: map[string]*schema.Schema{
			"name":       {Type: schema.TypeString, Required: true, ForceNew: true},
			"driver":     {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"attachable": {Type: schema.TypeBool, Optional: true, ForceNew: true},
			"internal":   {Type: schema.TypeBool, Optional: true, Computed: true, ForceNew: true},
			"options":    {Type: schema.TypeMap, Optional: true, Computed: true, ForceNew: true, Elem: &schema.Schema{Type: schema.TypeString}},
			"scope":      {Type: schema.TypeString, Computed: true},
			"labels":     labelSchema(),
		},
	}
}

func createNetwork(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	engine := meta.(*client.Client)
	name := d.Get("name").(string)
	// The engine allows two networks with the same name, but a container that joins by name cannot tell them apart.
	existing, err := engine.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", "^"+name+"$"))})
	if err != nil {
		return diag.FromErr(err)
	}
	if len(existing) > 0 {
		return diag.FromErr(fmt.Errorf("unable to create network: network with name %s already exists", name))
	}
	created, err := engine.NetworkCreate(ctx, name, network.CreateOptions{
		Driver:     d.Get("driver").(string),
		Attachable: d.Get("attachable").(bool),
		Internal:   d.Get("internal").(bool),
		Options:    stringMapOf(d.Get("options").(map[string]any)),
		Labels:     labelsOf(d),
	})
	if err != nil {
		return diag.FromErr(fmt.Errorf("unable to create network %s: %w", name, err))
	}
	d.SetId(created.ID)
	return readNetwork(ctx, d, meta)
}

func readNetwork(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	found, err := meta.(*client.Client).NetworkInspect(ctx, d.Id(), network.InspectOptions{})
	if errdefs.IsNotFound(err) {
		d.SetId("")
		return nil
	}
	if err != nil {
		return diag.FromErr(err)
	}
	return setAll(d, map[string]any{
		"name":       found.Name,
		"driver":     found.Driver,
		"attachable": found.Attachable,
		"internal":   found.Internal,
		"options":    found.Options,
		"scope":      found.Scope,
		"labels":     labelBlocks(found.Labels),
	})
}

func deleteNetwork(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	err := meta.(*client.Client).NetworkRemove(ctx, d.Id())
	if err != nil && !errdefs.IsNotFound(err) {
		return diag.FromErr(fmt.Errorf("unable to remove network %s: %w", d.Get("name"), err))
	}
	return nil
}

func dataSourceNetwork() *schema.Resource {
	return &schema.Resource{
		ReadContext: func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			name := d.Get("name").(string)
			found, err := meta.(*client.Client).NetworkInspect(ctx, name, network.InspectOptions{})
			if err != nil {
				return diag.FromErr(fmt.Errorf("could not find docker network: %s", name))
			}
			d.SetId(found.ID)
			return setAll(d, map[string]any{"driver": found.Driver, "internal": found.Internal, "scope": found.Scope})
		},
		Schema: map[string]*schema.Schema{
			"name":     {Type: schema.TypeString, Required: true},
			"driver":   {Type: schema.TypeString, Computed: true},
			"internal": {Type: schema.TypeBool, Computed: true},
			"scope":    {Type: schema.TypeString, Computed: true},
		},
	}
}

func setAll(d *schema.ResourceData, values map[string]any) diag.Diagnostics {
	for key, value := range values {
		if err := d.Set(key, value); err != nil {
			return diag.FromErr(fmt.Errorf("%s: %w", key, err))
		}
	}
	return nil
}
