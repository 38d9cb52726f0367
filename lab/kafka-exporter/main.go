// The lab's exporter for Kafka: the library that Alloy embeds, with Alloy's defaults, as a program with its own port.
package main

import (
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	kitlog "github.com/go-kit/log"
	"github.com/grafana/kafka_exporter/exporter"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// main serves metrics at the address in its argument. The environment sets the brokers and the certificate.
func main() {
	options := exporter.Options{
		Uri:                     strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ","),
		KafkaVersion:            os.Getenv("KAFKA_VERSION"),
		MetadataRefreshInterval: "1m",
		OffsetShowAll:           true,
		TopicWorkers:            100,
		AllowConcurrent:         true,
		MaxOffsets:              1000,
	}
	if folder := os.Getenv("TLS_DIR"); folder != "" {
		options.UseTLS = true
		options.TlsCAFile = filepath.Join(folder, "ca-bundle.pem")
		options.TlsCertFile = filepath.Join(folder, "key-pair.pem")
		options.TlsKeyFile = options.TlsCertFile
	}
	kafka, err := exporter.New(kitlog.NewLogfmtLogger(os.Stderr), options, ".*", "^$", ".*", "^$")
	if err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(kafka)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
