package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/errdefs"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
	"github.com/docker/go-units"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

const mib = 1024 * 1024

func createContainer(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	engine := meta.(*client.Client)
	name := d.Get("name").(string)
	image := d.Get("image").(string)
	if _, err := findOrPull(ctx, engine, image); err != nil {
		return diag.FromErr(fmt.Errorf("unable to create container with image %s: %w", image, err))
	}
	created, err := engine.ContainerCreate(ctx, containerConfig(d), hostConfig(d), firstNetwork(d), nil, name)
	if err != nil {
		return diag.FromErr(fmt.Errorf("unable to create container %s: %w", name, err))
	}
	// A failure after this line leaves a tainted container in the state, which the next apply replaces.
	d.SetId(created.ID)
	if err := joinNetworks(ctx, engine, d); err != nil {
		return diag.FromErr(err)
	}
	if err := uploadFiles(ctx, engine, d); err != nil {
		return diag.FromErr(err)
	}
	if !d.Get("start").(bool) {
		return readContainer(ctx, d, meta)
	}
	exited := waitForExit(ctx, engine, d)
	if err := engine.ContainerStart(ctx, d.Id(), container.StartOptions{}); err != nil {
		return diag.FromErr(fmt.Errorf("unable to start container %s: %w", name, err))
	}
	if d.Get("wait").(bool) {
		if err := waitUntilHealthy(ctx, engine, d); err != nil {
			return diag.FromErr(err)
		}
	}
	if d.Get("attach").(bool) {
		if err := exited(); err != nil {
			return diag.FromErr(fmt.Errorf("error waiting for container %s to exit: %w", name, err))
		}
		if d.Get("logs").(bool) {
			logs, err := logsOf(ctx, engine, d.Id())
			if err != nil {
				return diag.FromErr(err)
			}
			if err := d.Set("container_logs", logs); err != nil {
				return diag.FromErr(err)
			}
		}
	}
	return readContainer(ctx, d, meta)
}

func containerConfig(d *schema.ResourceData) *container.Config {
	config := &container.Config{
		Image:        d.Get("image").(string),
		User:         d.Get("user").(string),
		Hostname:     d.Get("hostname").(string),
		Cmd:          stringsOf(d.Get("command").([]any)),
		Entrypoint:   stringsOf(d.Get("entrypoint").([]any)),
		Env:          stringsOf(d.Get("env").(*schema.Set).List()),
		Labels:       labelsOf(d),
		StopSignal:   d.Get("stop_signal").(string),
		ExposedPorts: nat.PortSet{},
	}
	if len(config.Cmd) == 0 {
		config.Cmd = nil
	}
	if len(config.Entrypoint) == 0 {
		config.Entrypoint = nil
	}
	if timeout, ok := d.GetOk("stop_timeout"); ok {
		seconds := timeout.(int)
		config.StopTimeout = &seconds
	}
	for _, raw := range d.Get("ports").([]any) {
		port := raw.(map[string]any)
		config.ExposedPorts[portOf(port)] = struct{}{}
	}
	if checks := d.Get("healthcheck").([]any); len(checks) > 0 {
		check := checks[0].(map[string]any)
		config.Healthcheck = &container.HealthConfig{
			Test:        stringsOf(check["test"].([]any)),
			Interval:    duration(check["interval"]),
			Timeout:     duration(check["timeout"]),
			StartPeriod: duration(check["start_period"]),
			Retries:     check["retries"].(int),
		}
	}
	return config
}

func hostConfig(d *schema.ResourceData) *container.HostConfig {
	config := &container.HostConfig{
		NetworkMode:   container.NetworkMode(d.Get("network_mode").(string)),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(d.Get("restart").(string))},
		AutoRemove:    d.Get("rm").(bool),
		SecurityOpt:   stringsOf(d.Get("security_opts").(*schema.Set).List()),
		GroupAdd:      stringsOf(d.Get("group_add").(*schema.Set).List()),
		Tmpfs:         stringMapOf(d.Get("tmpfs").(map[string]any)),
		ShmSize:       int64(d.Get("shm_size").(int)) * mib,
		LogConfig: container.LogConfig{
			Type:   d.Get("log_driver").(string),
			Config: stringMapOf(d.Get("log_opts").(map[string]any)),
		},
		PortBindings: nat.PortMap{},
		Resources:    resources(d),
	}
	if init, ok := d.GetOk("init"); ok {
		enabled := init.(bool)
		config.Init = &enabled
	}
	for _, raw := range d.Get("capabilities").(*schema.Set).List() {
		capabilities := raw.(map[string]any)
		config.CapAdd = stringsOf(capabilities["add"].(*schema.Set).List())
		config.CapDrop = stringsOf(capabilities["drop"].(*schema.Set).List())
	}
	for _, raw := range d.Get("ports").([]any) {
		port := raw.(map[string]any)
		binding := nat.PortBinding{HostIP: port["ip"].(string)}
		if external := port["external"].(int); external > 0 {
			binding.HostPort = strconv.Itoa(external)
		}
		config.PortBindings[portOf(port)] = append(config.PortBindings[portOf(port)], binding)
	}
	for _, raw := range d.Get("ulimit").(*schema.Set).List() {
		limit := raw.(map[string]any)
		config.Ulimits = append(config.Ulimits, &units.Ulimit{
			Name: limit["name"].(string), Soft: int64(limit["soft"].(int)), Hard: int64(limit["hard"].(int)),
		})
	}
	for _, raw := range d.Get("volumes").(*schema.Set).List() {
		volume := raw.(map[string]any)
		source := volume["volume_name"].(string)
		if source == "" {
			source = volume["host_path"].(string)
		}
		mode := "rw"
		if volume["read_only"].(bool) {
			mode = "ro"
		}
		config.Binds = append(config.Binds, fmt.Sprintf("%s:%s:%s", source, volume["container_path"], mode))
	}
	return config
}

func resources(d *schema.ResourceData) container.Resources {
	memorySwap := int64(d.Get("memory_swap").(int))
	if memorySwap > 0 {
		memorySwap *= mib
	}
	return container.Resources{
		Memory:            int64(d.Get("memory").(int)) * mib,
		MemoryReservation: int64(d.Get("memory_reservation").(int)) * mib,
		MemorySwap:        memorySwap,
	}
}

// firstNetwork returns the network to create the container in, so that it never joins the default bridge.
func firstNetwork(d *schema.ResourceData) *network.NetworkingConfig {
	networks := d.Get("networks_advanced").(*schema.Set).List()
	if len(networks) == 0 {
		return nil
	}
	name, endpoint := endpointOf(networks[0])
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{name: endpoint}}
}

func joinNetworks(ctx context.Context, engine *client.Client, d *schema.ResourceData) error {
	networks := d.Get("networks_advanced").(*schema.Set).List()
	if len(networks) == 0 {
		return nil
	}
	// With network_mode "bridge", the engine joins the default bridge too. Disconnect from it.
	inspected, err := engine.ContainerInspect(ctx, d.Id())
	if err != nil {
		return err
	}
	joined := inspected.NetworkSettings.Networks
	wanted := map[string]*network.EndpointSettings{}
	for _, raw := range networks {
		name, endpoint := endpointOf(raw)
		wanted[name] = endpoint
	}
	for name := range joined {
		if wanted[name] == nil {
			if err := engine.NetworkDisconnect(ctx, name, d.Id(), false); err != nil {
				return fmt.Errorf("unable to disconnect container from network %s: %w", name, err)
			}
		}
	}
	for name, endpoint := range wanted {
		if joined[name] == nil {
			if err := engine.NetworkConnect(ctx, name, d.Id(), endpoint); err != nil {
				return fmt.Errorf("unable to connect to network %s: %w", name, err)
			}
		}
	}
	return nil
}

func endpointOf(raw any) (string, *network.EndpointSettings) {
	block := raw.(map[string]any)
	return block["name"].(string), &network.EndpointSettings{Aliases: stringsOf(block["aliases"].(*schema.Set).List())}
}

func uploadFiles(ctx context.Context, engine *client.Client, d *schema.ResourceData) error {
	uploads := d.Get("upload").(*schema.Set).List()
	if len(uploads) == 0 {
		return nil
	}
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, raw := range uploads {
		upload := raw.(map[string]any)
		content, err := uploadContent(upload)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if upload["executable"].(bool) {
			mode = 0o744
		}
		if permissions := upload["permissions"].(string); permissions != "" {
			parsed, err := strconv.ParseInt(permissions, 8, 32)
			if err != nil {
				return fmt.Errorf("permissions of %s: %q is not octal", upload["file"], permissions)
			}
			mode = parsed
		}
		header := &tar.Header{Name: upload["file"].(string), Mode: mode, Size: int64(len(content)), ModTime: time.Now()}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		if _, err := writer.Write(content); err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	if err := engine.CopyToContainer(ctx, d.Id(), "/", &archive, container.CopyToContainerOptions{}); err != nil {
		return fmt.Errorf("unable to upload files: %w", err)
	}
	return nil
}

// uploadContent returns the content of an upload. Reads a source from the machine that runs Terraform, relative to its working folder.
func uploadContent(upload map[string]any) ([]byte, error) {
	content, source := upload["content"].(string), upload["source"].(string)
	if (content == "") == (source == "") {
		return nil, fmt.Errorf("error with upload content of %s: exactly one of 'content' and 'source' must be set", upload["file"])
	}
	if source == "" {
		return []byte(content), nil
	}
	read, err := os.ReadFile(source)
	if err != nil {
		return nil, fmt.Errorf("could not read file: %w", err)
	}
	return read, nil
}

// waitForExit subscribes before the container starts, so that it does not miss a container that ends at once.
func waitForExit(ctx context.Context, engine *client.Client, d *schema.ResourceData) func() error {
	if !d.Get("attach").(bool) {
		return func() error { return nil }
	}
	statuses, failures := engine.ContainerWait(ctx, d.Id(), container.WaitConditionNextExit)
	return func() error {
		select {
		case <-statuses:
			return nil
		case err := <-failures:
			return err
		}
	}
}

func waitUntilHealthy(ctx context.Context, engine *client.Client, d *schema.ResourceData) error {
	timeout := time.Duration(d.Get("wait_timeout").(int)) * time.Second
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		inspected, err := engine.ContainerInspect(ctx, d.Id())
		if err == nil && inspected.State.Health == nil {
			return fmt.Errorf("container %s has no health check to wait for", d.Get("name"))
		}
		if err == nil && inspected.State.Health.Status == container.Healthy {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("container %s did not reach the healthy state within %s", d.Get("name"), timeout)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func logsOf(ctx context.Context, engine *client.Client, id string) (string, error) {
	stream, err := engine.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var logs bytes.Buffer
	if _, err := stdcopy.StdCopy(&logs, &logs, stream); err != nil && err != io.EOF {
		return "", err
	}
	return logs.String(), nil
}

func readContainer(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	found, err := meta.(*client.Client).ContainerInspect(ctx, d.Id())
	if errdefs.IsNotFound(err) {
		d.SetId("")
		return nil
	}
	if err != nil {
		return diag.FromErr(err)
	}
	memorySwap := int(found.HostConfig.MemorySwap)
	if memorySwap > 0 {
		memorySwap /= mib
	}
	values := map[string]any{
		"name":               found.Name[1:],
		"image":              found.Image,
		"command":            []string(found.Config.Cmd),
		"entrypoint":         []string(found.Config.Entrypoint),
		"hostname":           found.Config.Hostname,
		"labels":             labelBlocks(ownLabels(d, found.Config.Labels)),
		"restart":            string(found.HostConfig.RestartPolicy.Name),
		"memory":             int(found.HostConfig.Memory / mib),
		"memory_reservation": int(found.HostConfig.MemoryReservation / mib),
		"memory_swap":        memorySwap,
		"shm_size":           int(found.HostConfig.ShmSize / mib),
		"stop_signal":        found.Config.StopSignal,
		"security_opts":      found.HostConfig.SecurityOpt,
		"log_driver":         found.HostConfig.LogConfig.Type,
		"network_mode":       string(found.HostConfig.NetworkMode),
		"exit_code":          found.State.ExitCode,
	}
	if found.HostConfig.Init != nil {
		values["init"] = *found.HostConfig.Init
	}
	if found.Config.StopTimeout != nil {
		values["stop_timeout"] = *found.Config.StopTimeout
	}
	if !found.State.Running && d.Get("must_run").(bool) {
		// The plan shows a change to true, which starts the container again.
		values["must_run"] = false
	}
	return setAll(d, values)
}

// ownLabels omits the labels that come from the image.
func ownLabels(d *schema.ResourceData, labels map[string]string) map[string]string {
	declared := labelsOf(d)
	own := map[string]string{}
	for label, value := range labels {
		if _, ok := declared[label]; ok {
			own[label] = value
		}
	}
	return own
}

func updateContainer(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	engine := meta.(*client.Client)
	if d.HasChanges("restart", "memory", "memory_reservation", "memory_swap") {
		_, err := engine.ContainerUpdate(ctx, d.Id(), container.UpdateConfig{
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(d.Get("restart").(string))},
			Resources:     resources(d),
		})
		if err != nil {
			return diag.FromErr(fmt.Errorf("unable to update container %s: %w", d.Get("name"), err))
		}
	}
	if d.HasChange("must_run") && d.Get("must_run").(bool) {
		if err := engine.ContainerStart(ctx, d.Id(), container.StartOptions{}); err != nil {
			return diag.FromErr(fmt.Errorf("unable to start container %s: %w", d.Get("name"), err))
		}
		if d.Get("wait").(bool) {
			if err := waitUntilHealthy(ctx, engine, d); err != nil {
				return diag.FromErr(err)
			}
		}
	}
	return readContainer(ctx, d, meta)
}

func deleteContainer(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	engine := meta.(*client.Client)
	if grace := d.Get("destroy_grace_seconds").(int); grace > 0 {
		err := engine.ContainerStop(ctx, d.Id(), container.StopOptions{Timeout: &grace})
		if err != nil && !errdefs.IsNotFound(err) {
			return diag.FromErr(fmt.Errorf("error stopping container %s: %w", d.Get("name"), err))
		}
	}
	err := engine.ContainerRemove(ctx, d.Id(), container.RemoveOptions{RemoveVolumes: d.Get("remove_volumes").(bool), Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return diag.FromErr(fmt.Errorf("error deleting container %s: %w", d.Get("name"), err))
	}
	return nil
}

func portOf(port map[string]any) nat.Port {
	return nat.Port(fmt.Sprintf("%d/%s", port["internal"], port["protocol"]))
}

func duration(value any) time.Duration {
	parsed, _ := time.ParseDuration(value.(string))
	return parsed
}
