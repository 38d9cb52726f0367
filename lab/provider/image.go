package main

import (
	"context"
	"fmt"
	"io"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/docker/docker/errdefs"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func resourceImage() *schema.Resource {
	return &schema.Resource{
		CreateContext: createImage,
		ReadContext:   readImage,
		UpdateContext: readImage,
		DeleteContext: deleteImage,
		Schema: map[string]*schema.Schema{
			"name":         {Type: schema.TypeString, Required: true, ForceNew: true},
			"keep_locally": {Type: schema.TypeBool, Optional: true},
			"id":           {Type: schema.TypeString, Computed: true},
			"image_id":     {Type: schema.TypeString, Computed: true},
			"repo_digest":  {Type: schema.TypeString, Computed: true},
		},
	}
}

func createImage(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	name := d.Get("name").(string)
	id, err := findOrPull(ctx, meta.(*client.Client), name)
	if err != nil {
		return diag.FromErr(fmt.Errorf("unable to read Docker image into resource: %w", err))
	}
	d.SetId(id + name)
	return readImage(ctx, d, meta)
}

func readImage(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	found, err := meta.(*client.Client).ImageInspect(ctx, d.Get("name").(string))
	if errdefs.IsNotFound(err) {
		d.SetId("")
		return nil
	}
	if err != nil {
		return diag.FromErr(err)
	}
	digest := ""
	if len(found.RepoDigests) > 0 {
		digest = found.RepoDigests[0]
	}
	d.SetId(found.ID + d.Get("name").(string))
	return setAll(d, map[string]any{"image_id": found.ID, "repo_digest": digest})
}

func deleteImage(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	if d.Get("keep_locally").(bool) {
		return nil
	}
	_, err := meta.(*client.Client).ImageRemove(ctx, d.Get("name").(string), image.RemoveOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		return diag.FromErr(err)
	}
	return nil
}

// findOrPull returns the id of an image, and pulls it if the engine does not have it.
func findOrPull(ctx context.Context, engine *client.Client, name string) (string, error) {
	found, err := engine.ImageInspect(ctx, name)
	if err == nil {
		return found.ID, nil
	}
	if !errdefs.IsNotFound(err) {
		return "", err
	}
	progress, err := engine.ImagePull(ctx, name, image.PullOptions{})
	if err != nil {
		return "", fmt.Errorf("error pulling image %s: %w", name, err)
	}
	defer progress.Close()
	if _, err := io.Copy(io.Discard, progress); err != nil {
		return "", fmt.Errorf("error pulling image %s: %w", name, err)
	}
	found, err = engine.ImageInspect(ctx, name)
	if err != nil {
		return "", fmt.Errorf("unable to find image %s after pulling it: %w", name, err)
	}
	return found.ID, nil
}
