package main

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"github.com/docker/docker/errdefs"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func resourceVolume() *schema.Resource {
	return &schema.Resource{
		SchemaVersion: 1,
		CreateContext: createVolume,
		ReadContext:   readVolume,
		DeleteContext: deleteVolume,
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
		Schema: map[string]*schema.Schema{
			"name":       {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"driver":     {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"mountpoint": {Type: schema.TypeString, Computed: true},
			"labels":     labelSchema(),
		},
	}
}

// createVolume adopts an existing volume of this name, as the engine's own API does.
func createVolume(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	created, err := meta.(*client.Client).VolumeCreate(ctx, volume.CreateOptions{
		Name:   d.Get("name").(string),
		Driver: d.Get("driver").(string),
		Labels: labelsOf(d),
	})
	if err != nil {
		return diag.FromErr(fmt.Errorf("unable to create volume %s: %w", d.Get("name"), err))
	}
	d.SetId(created.Name)
	return readVolume(ctx, d, meta)
}

func readVolume(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	found, err := meta.(*client.Client).VolumeInspect(ctx, d.Id())
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
		"mountpoint": found.Mountpoint,
		"labels":     labelBlocks(found.Labels),
	})
}

func deleteVolume(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	err := meta.(*client.Client).VolumeRemove(ctx, d.Id(), false)
	if err != nil && !errdefs.IsNotFound(err) {
		return diag.FromErr(fmt.Errorf("unable to remove volume %s: %w", d.Id(), err))
	}
	return nil
}
