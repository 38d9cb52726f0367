#!/usr/bin/env bash
set -euo pipefail

# put API FOLDER: each file is named after its resource.
put() {
  for file in /catalog/"$2"/*.json; do
    case $file in *.tests.json) continue ;; esac
    curl --silent --show-error --fail-with-body --request PUT "opensearch-1:9200/$1/$(basename "$file" .json)" \
      --header "Content-Type: application/json" --data-binary "@$file"
  done
}

put _component_template component-templates
put _ingest/pipeline ingest-pipelines
put _index_template data-streams
put _index_template index-templates
