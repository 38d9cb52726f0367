package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/go-cty/cty"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func resourceContainer() *schema.Resource {
	return &schema.Resource{
		SchemaVersion: 2,
		CreateContext: createContainer,
		ReadContext:   readContainer,
		UpdateContext: updateContainer,
		DeleteContext: deleteContainer,
		Schema: map[string]*schema.Schema{
			"name":       {Type: schema.TypeString, Required: true, ForceNew: true},
			"image":      {Type: schema.TypeString, Required: true, ForceNew: true},
			"command":    {Type: schema.TypeList, Optional: true, Computed: true, ForceNew: true, Elem: stringElem()},
			"entrypoint": {Type: schema.TypeList, Optional: true, Computed: true, ForceNew: true, Elem: stringElem()},
			"env":        {Type: schema.TypeSet, Optional: true, Computed: true, ForceNew: true, Elem: stringElem()},
			"user":       {Type: schema.TypeString, Optional: true, ForceNew: true},
			"group_add":  {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: stringElem()},
			"hostname":   {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"init":       {Type: schema.TypeBool, Optional: true, Computed: true, ForceNew: true},
			"labels":     labelSchema(),

			// The provider's own handling of the container.
			"start":                 {Type: schema.TypeBool, Optional: true, Default: true},
			"attach":                {Type: schema.TypeBool, Optional: true, Default: false},
			"logs":                  {Type: schema.TypeBool, Optional: true, Default: false},
			"must_run":              {Type: schema.TypeBool, Optional: true, Default: true},
			"rm":                    {Type: schema.TypeBool, Optional: true, Default: false},
			"wait":                  {Type: schema.TypeBool, Optional: true, Default: false},
			"wait_timeout":          {Type: schema.TypeInt, Optional: true, Default: 60},
			"destroy_grace_seconds": {Type: schema.TypeInt, Optional: true},
			"remove_volumes":        {Type: schema.TypeBool, Optional: true, Default: true},

			"restart":            {Type: schema.TypeString, Optional: true, Default: "no"},
			"memory":             {Type: schema.TypeInt, Optional: true},
			"memory_reservation": {Type: schema.TypeInt, Optional: true},
			"memory_swap":        {Type: schema.TypeInt, Optional: true},
			"shm_size":           {Type: schema.TypeInt, Optional: true, Computed: true, ForceNew: true},
			"stop_signal":        {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"stop_timeout":       {Type: schema.TypeInt, Optional: true, Computed: true, ForceNew: true},
			"security_opts":      {Type: schema.TypeSet, Optional: true, Computed: true, ForceNew: true, Elem: stringElem()},
			"log_driver":         {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"log_opts":           {Type: schema.TypeMap, Optional: true, ForceNew: true, Elem: stringElem()},
			"tmpfs":              {Type: schema.TypeMap, Optional: true, ForceNew: true, Elem: stringElem()},
			"network_mode":       {Type: schema.TypeString, Optional: true, ForceNew: true, Default: "bridge"},

			"capabilities": {Type: schema.TypeSet, Optional: true, ForceNew: true, MaxItems: 1, Elem: block(map[string]*schema.Schema{
				"add":  {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: stringElem()},
				"drop": {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: stringElem()},
			})},
			"healthcheck": {Type: schema.TypeList, Optional: true, ForceNew: true, MaxItems: 1, Elem: block(map[string]*schema.Schema{
				"test":         {Type: schema.TypeList, Optional: true, ForceNew: true, Elem: stringElem()},
				"interval":     durationSchema(),
				"timeout":      durationSchema(),
				"start_period": durationSchema(),
				"retries":      {Type: schema.TypeInt, Optional: true, ForceNew: true, Default: 0},
			})},
			"networks_advanced": {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: block(map[string]*schema.Schema{
				"name":    {Type: schema.TypeString, Required: true, ForceNew: true},
				"aliases": {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: stringElem()},
			})},
			"ports": {Type: schema.TypeList, Optional: true, ForceNew: true, Elem: block(map[string]*schema.Schema{
				"internal": {Type: schema.TypeInt, Required: true, ForceNew: true},
				"external": {Type: schema.TypeInt, Optional: true, Computed: true, ForceNew: true},
				"ip":       {Type: schema.TypeString, Optional: true, ForceNew: true, Default: "0.0.0.0"},
				"protocol": {Type: schema.TypeString, Optional: true, ForceNew: true, Default: "tcp"},
			})},
			"ulimit": {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: block(map[string]*schema.Schema{
				"name": {Type: schema.TypeString, Required: true, ForceNew: true},
				"soft": {Type: schema.TypeInt, Required: true, ForceNew: true},
				"hard": {Type: schema.TypeInt, Required: true, ForceNew: true},
			})},
			"upload": {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: block(map[string]*schema.Schema{
				"file":        {Type: schema.TypeString, Required: true, ForceNew: true},
				"content":     {Type: schema.TypeString, Optional: true, ForceNew: true},
				"source":      {Type: schema.TypeString, Optional: true, ForceNew: true},
				"source_hash": {Type: schema.TypeString, Optional: true, ForceNew: true},
				"executable":  {Type: schema.TypeBool, Optional: true, ForceNew: true, Default: false},
				"permissions": {Type: schema.TypeString, Optional: true, ForceNew: true},
			})},
			"volumes": {Type: schema.TypeSet, Optional: true, ForceNew: true, Elem: block(map[string]*schema.Schema{
				"volume_name":    {Type: schema.TypeString, Optional: true, ForceNew: true},
				"host_path":      {Type: schema.TypeString, Optional: true, ForceNew: true},
				"container_path": {Type: schema.TypeString, Optional: true, ForceNew: true},
				"read_only":      {Type: schema.TypeBool, Optional: true, ForceNew: true},
			})},

			"container_logs": {Type: schema.TypeString, Computed: true},
			"exit_code":      {Type: schema.TypeInt, Computed: true},
		},
	}
}

func stringElem() *schema.Schema { return &schema.Schema{Type: schema.TypeString} }

func block(attributes map[string]*schema.Schema) *schema.Resource {
	return &schema.Resource{Schema: attributes}
}

func durationSchema() *schema.Schema {
	return &schema.Schema{
		Type:     schema.TypeString,
		Optional: true,
		ForceNew: true,
		Default:  "0s",
		ValidateDiagFunc: func(value any, path cty.Path) diag.Diagnostics {
			if d, err := time.ParseDuration(value.(string)); err != nil || d < 0 {
				return diag.FromErr(fmt.Errorf("%q is not a duration of at least 0s, like 1m30s", value))
			}
			return nil
		},
	}
}
