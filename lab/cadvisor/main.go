// The lab's cAdvisor: the library that Alloy embeds, with the same cgroups and metrics, as a program with its own port.
// cadvisor -docker_only ADDRESS
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"
)

func main() {
	flag.Parse()
	included := container.MetricSet{
		container.CpuUsageMetrics:    struct{}{},
		container.DiskIOMetrics:      struct{}{},
		container.MemoryUsageMetrics: struct{}{},
		container.OOMMetrics:         struct{}{},
	}
	interval, dynamic := 5*time.Second, false
	containers, err := manager.New(
		memory.New(2*time.Minute, nil),
		sysfs.NewRealSysFs(),
		manager.HousekeepingConfig{Interval: &interval, AllowDynamic: &dynamic},
		included,
		http.DefaultClient,
		[]string{"/docker/", "/system.slice/docker-", "/user.slice/"},
		nil,
		"",
		0,
	)
	if err != nil {
		log.Fatal(err)
	}
	if err := containers.Start(); err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewPrometheusCollector(
		containers, metrics.BaseContainerLabels(nil), included, clock.RealClock{},
		v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true},
	))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	log.Fatal(http.ListenAndServe(flag.Arg(0), nil))
}
