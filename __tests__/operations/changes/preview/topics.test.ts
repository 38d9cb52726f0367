import { EXIT_CHANGES, EXIT_DESTRUCTIVE } from "../../../../operations/changes/report";
import {
  applicationLogs,
  BASE,
  catalog,
  infraEvents,
  testPreviews,
  withTopics,
} from "../../../support/previews";

testPreviews([
  [
    "a topic added",
    EXIT_CHANGES,
    () => [BASE, withTopics([...catalog.topics, { name: "orders", partitions: 3 }])],
  ],
  [
    "more partitions",
    EXIT_CHANGES,
    () => [BASE, withTopics([{ ...infraEvents, partitions: 6 }, applicationLogs])],
  ],
  [
    "more partitions of a topic that is reconciled",
    EXIT_CHANGES,
    () => [
      withTopics([{ ...infraEvents, onDrift: "reconcile" }, applicationLogs]),
      withTopics([{ ...infraEvents, onDrift: "reconcile", partitions: 6 }, applicationLogs]),
    ],
  ],
  [
    "fewer partitions",
    EXIT_CHANGES,
    () => [BASE, withTopics([infraEvents, { ...applicationLogs, partitions: 3 }])],
  ],
  [
    "a topic removed and another one added",
    EXIT_DESTRUCTIVE,
    () => [BASE, withTopics([infraEvents, { ...applicationLogs, name: "orders", partitions: 12 }])],
  ],
  [
    "a topic's configs",
    EXIT_DESTRUCTIVE,
    () => [
      BASE,
      withTopics([
        { ...infraEvents, configs: { "min.insync.replicas": 1, "retention.ms": 3600000 } },
        applicationLogs,
      ]),
    ],
  ],
  [
    "configs taken out of a topic",
    EXIT_CHANGES,
    () => [
      withTopics([
        { ...infraEvents, configs: { "retention.ms": 60000, "segment.ms": 60000 } },
        applicationLogs,
      ]),
      withTopics([infraEvents, applicationLogs]),
    ],
  ],
  [
    "a config taken out of a topic that is reconciled, and another changed",
    EXIT_CHANGES,
    () => [
      withTopics([
        {
          ...infraEvents,
          onDrift: "reconcile",
          configs: { "retention.ms": 60000, "segment.ms": 60000 },
        },
        applicationLogs,
      ]),
      withTopics([
        { ...infraEvents, onDrift: "reconcile", configs: { "segment.ms": 30000 } },
        applicationLogs,
      ]),
    ],
  ],
  [
    "another replication factor",
    EXIT_CHANGES,
    () => [BASE, withTopics([{ ...infraEvents, replicationFactor: 2 }, applicationLogs])],
  ],
  [
    "a longer retention, and none by size",
    EXIT_CHANGES,
    () => [
      withTopics([
        { ...infraEvents, configs: { "retention.ms": 60000, "retention.bytes": 1000 } },
        applicationLogs,
      ]),
      withTopics([{ ...infraEvents, configs: { "retention.ms": -1 } }, applicationLogs]),
    ],
  ],
  [
    "a shorter retention by time and size",
    EXIT_DESTRUCTIVE,
    () => [
      withTopics([
        { ...infraEvents, configs: { "retention.ms": -1, "retention.bytes": 2000 } },
        applicationLogs,
      ]),
      withTopics([{ ...infraEvents, configs: { "retention.bytes": 1000 } }, applicationLogs]),
    ],
  ],
  [
    "a retention of a topic that is only compacted",
    EXIT_CHANGES,
    () => [
      withTopics([
        { ...infraEvents, configs: { "cleanup.policy": "compact", "retention.ms": 90000 } },
        applicationLogs,
      ]),
      withTopics([
        { ...infraEvents, configs: { "cleanup.policy": "compact", "retention.ms": 60000 } },
        applicationLogs,
      ]),
    ],
  ],
  [
    "the cleanup policies of two topics",
    EXIT_DESTRUCTIVE,
    () => [
      withTopics([
        { ...infraEvents, configs: { "cleanup.policy": "compact" } },
        { ...applicationLogs, configs: { "cleanup.policy": "delete" } },
      ]),
      withTopics([
        { ...infraEvents, configs: { "cleanup.policy": "compact,delete" } },
        { ...applicationLogs, configs: { "cleanup.policy": "compact" } },
      ]),
    ],
  ],
  ["a topic removed", EXIT_DESTRUCTIVE, () => [BASE, withTopics([infraEvents])]],
  [
    "a topic renamed",
    EXIT_DESTRUCTIVE,
    () => [BASE, withTopics([{ ...infraEvents, name: "events" }, applicationLogs])],
  ],
]);
